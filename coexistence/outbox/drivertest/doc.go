// Package drivertest tests the outbox on real databases. It is a module of its own, so that their drivers are not in the core's.
package drivertest
