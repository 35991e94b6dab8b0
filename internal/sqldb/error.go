package sqldb

import (
	"context"
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

// Lost reports whether a transaction lost against another, by a serialization failure or a
// deadlock, and is worth another try at once.
func Lost(err error) bool {
	state := State(err)
	return state == "40001" || state == "40P01"
}

// NoTable reports whether a statement names a table that is not there.
func NoTable(err error) bool {
	// SQLite has no code for it
	return err != nil && (State(err) == "42P01" || strings.Contains(err.Error(), "no such table"))
}

// Explain says what was being done and, where it is known, what the host can do about it. what
// begins with the name of the package. SQLite's errors have no common type among drivers, so they
// are told by their texts.
func Explain(what string, err error) error {
	if err == nil {
		return nil
	}
	advice := ""
	text := err.Error()
	switch {
	case Lost(err):
		advice = "others write the same rows all the time; try again later: "
	case errors.Is(err, context.DeadlineExceeded) || Silent(err):
		advice = "the database did not answer in time; look whether it can be reached and what its statements " +
			"wait for: "
	case NoTable(err):
		advice = "the tables are missing; open the database with package sqlite or postgres, which make them: "
	case strings.Contains(text, "SQLITE_BUSY"):
		advice = "something else writes to the file; one process may use it: "
	case State(err) == "53100" || strings.Contains(text, "disk is full") || strings.Contains(text, "SQLITE_FULL"):
		advice = "the disk is full; make room, nothing is lost that was stored: "
	}
	return fmt.Errorf("%s: %s%w", what, advice, err)
}
