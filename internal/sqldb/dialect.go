// Package sqldb is what our stores have in common that keep something in SQLite or PostgreSQL
// through database/sql: how one statement is written for both, how many rows travel in one
// parameter, what errors mean, and the settings without which what was committed can be lost.
package sqldb

import (
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"
)

// A Dialect is the SQL that a database speaks. Our stores have one text for both wherever that is
// not slower, and ask for the dialect where it is.
type Dialect string

const (
	SQLite     Dialect = "sqlite"     // 3.42 or newer
	PostgreSQL Dialect = "postgresql" // 12 or newer
)

// TxOptions are those of a transaction that waits for rows and locks, and reads them as they are
// then. A stricter level, which a PostgreSQL role may have as its default, would fail there instead
// of waiting.
func (d Dialect) TxOptions() *sql.TxOptions {
	if d == PostgreSQL {
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return nil
}

// ForUpdate keeps rows that were read from changing until the transaction ends. In SQLite, nothing
// else is written meanwhile.
func (d Dialect) ForUpdate() string {
	if d == PostgreSQL {
		return " FOR UPDATE"
	}
	return ""
}

// Rebind puts in the placeholders of the dialect. Statements are written with question marks and
// have no others.
func (d Dialect) Rebind(query string) string {
	if d != PostgreSQL {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// A Cell is a value that travels to the database within a table: a text or a number. The zero Cell
// is NULL. Values are never written into statements, so nothing has to be escaped there.
type Cell struct {
	text   string
	number int64
	kind   cellKind
}

type cellKind int

const (
	cellNull cellKind = iota
	cellText
	cellNumber
)

// Text is a text, as Clean returns it.
func Text(s string) Cell { return Cell{text: Clean(s), kind: cellText} }

// TextOrNull is a text, or NULL if it is empty.
func TextOrNull(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Text(s)
}

// Number is a number.
func Number(n int64) Cell { return Cell{number: n, kind: cellNumber} }

// Clean is s as every database keeps it. PostgreSQL has no texts with a NUL or invalid UTF-8; these
// become U+FFFD, in SQLite as well, so that a key is the same in both.
func Clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// Table is what stands behind FROM for a table of these rows, named r, and its parameters. Columns
// are written like "id bigint". The rows travel as one parameter (SQLite: a JSON array of arrays)
// or as one for each column (PostgreSQL: arrays), however many there are, so that there are few
// different statements to prepare, and as text, which every driver passes on. Their order is in the
// column n, from 0 or from 1.
func (d Dialect) Table(columns []string, rows [][]Cell) (from string, args []string) {
	var b strings.Builder
	if d != PostgreSQL {
		b.WriteString("(SELECT key AS n")
		for i, c := range columns {
			name, _, _ := strings.Cut(c, " ")
			b.WriteString(", value ->> " + strconv.Itoa(i) + " AS " + name)
		}
		b.WriteString(" FROM json_each(?)) AS r")
		return b.String(), []string{JSONTable(rows)}
	}
	names := make([]string, len(columns))
	b.WriteString("unnest(")
	for i, c := range columns {
		name, typ, _ := strings.Cut(c, " ")
		names[i] = name
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("CAST(? AS " + typ + "[])")
		column := make([]Cell, len(rows))
		for j, row := range rows {
			column[j] = row[i]
		}
		args = append(args, Array(column))
	}
	b.WriteString(") WITH ORDINALITY AS r(" + strings.Join(names, ", ") + ", n)")
	return b.String(), args
}

// Among is a condition: column is one of the numbers. It takes one parameter. No numbers are none.
func (d Dialect) Among(column string, numbers []int64) (condition, arg string) {
	cells := make([]Cell, len(numbers))
	for i, n := range numbers {
		cells[i] = Number(n)
	}
	return d.among(column, "bigint", cells)
}

// AmongTexts is Among for texts.
func (d Dialect) AmongTexts(column string, texts []string) (condition, arg string) {
	cells := make([]Cell, len(texts))
	for i, text := range texts {
		cells[i] = Text(text)
	}
	return d.among(column, "text", cells)
}

// among has PostgreSQL look the values up in an index. Where they are a table to join with, it may
// go through all rows instead, as long as it does not know how many there are.
func (d Dialect) among(column, typ string, cells []Cell) (condition, arg string) {
	if d == PostgreSQL {
		return column + " = ANY(CAST(? AS " + typ + "[]))", Array(cells)
	}
	return column + " IN (SELECT value FROM json_each(?))", JSONArray(cells)
}

// JSONArray writes cells as a JSON array.
func JSONArray(cells []Cell) string {
	row := JSONTable([][]Cell{cells})
	return row[1 : len(row)-1]
}

// Array writes cells as PostgreSQL writes an array: {1,"a",NULL}.
func Array(cells []Cell) string {
	b := []byte{'{'}
	for i, c := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		switch c.kind {
		case cellNull:
			b = append(b, "NULL"...)
		case cellNumber:
			b = strconv.AppendInt(b, c.number, 10)
		case cellText:
			b = append(b, '"')
			for j := range len(c.text) {
				if ch := c.text[j]; ch == '"' || ch == '\\' {
					b = append(b, '\\')
				}
				b = append(b, c.text[j])
			}
			b = append(b, '"')
		}
	}
	return string(append(b, '}'))
}

// JSONTable writes rows as a JSON array of arrays, which SQLite takes apart with json_each.
func JSONTable(rows [][]Cell) string {
	b := []byte{'['}
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for j, c := range row {
			if j > 0 {
				b = append(b, ',')
			}
			switch c.kind {
			case cellNull:
				b = append(b, "null"...)
			case cellNumber:
				b = strconv.AppendInt(b, c.number, 10)
			case cellText:
				b = appendText(b, c.text)
			}
		}
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

// appendText writes a JSON string. Nearly all are keys and ids, which need no escapes.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			escaped, _ := json.Marshal(text) // a string is never refused
			return append(b, escaped...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}
