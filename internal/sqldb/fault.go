package sqldb

import (
	"errors"
	"fmt"
	"strings"
)

// sqlState is what the errors of PostgreSQL's drivers have in common.
type sqlState interface {
	error
	SQLState() string
}

// State is the code of an error of PostgreSQL, such as 42P01; "" for any other error.
func State(err error) string {
	if e, ok := errors.AsType[sqlState](err); ok {
		return e.SQLState()
	}
	return ""
}

// Lost reports whether a transaction lost against another, by a serialization failure or a deadlock, and is worth another try at once.
func Lost(err error) bool {
	state := State(err)
	return state == "40001" || state == "40P01"
}

// Explain says what was being done and, where it is known, what the host can do about it. what begins with the name of the package.
func Explain(what string, err error) error {
	if err == nil {
		return nil
	}
	advice := ""
	text := err.Error()
	switch state := State(err); {
	case Lost(err):
		advice = "others write the same rows all the time; try again later: "
	case state == "42P01" || strings.Contains(text, "no such table"): // SQLite has no code for it
		advice = "the tables are missing; call Migrate first: "
	case strings.Contains(text, "SQLITE_BUSY"):
		advice = "something else writes to the file; one process may use it: "
	case state == "53100" || strings.Contains(text, "disk is full") || strings.Contains(text, "SQLITE_FULL"):
		advice = "the disk is full; make room, nothing is lost that was stored: "
	}
	return fmt.Errorf("%s: %s%w", what, advice, err)
}
