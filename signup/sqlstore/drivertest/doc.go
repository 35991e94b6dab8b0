// Package drivertest runs package signup/sqlstore on real databases: SQLite and PostgreSQL, through the drivers that hosts use. It is a
// module of its own, so that the core does not link them, and has tests alone.
package drivertest
