// Package readme has the three pieces of code that README.md shows, and the tests that run them.
package readme
