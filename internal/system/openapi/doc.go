// Package openapi holds the document of the simulator's control API against a validator of others:
// that it is valid OpenAPI, and that every request and answer which the tests of package control
// make fits it, with paths, queries and headers. It has tests only.
package openapi
