// Package sqlinbox keeps an inbox in a SQL database: SQLite for one machine, PostgreSQL for several.
package sqlinbox
