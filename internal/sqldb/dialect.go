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

// value is what the driver gets for a cell.
func (c Cell) value() any {
	switch c.kind {
	case cellText:
		return c.text
	case cellNumber:
		return c.number
	default:
		return nil
	}
}

// Clean is s as every database keeps it. PostgreSQL has no texts with a NUL or invalid UTF-8; these
// become U+FFFD, in SQLite as well, so that a key is the same in both.
func Clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// Table is what stands behind FROM for a table of these rows, named r, and its parameters. Columns
// are written like "id bigint". The order of the rows is in the column n, from 0 or from 1. However
// many there are, the statements to prepare are few: PostgreSQL gets an array for each column,
// SQLite a parameter for each value, with as many rows as a power of two has, or JSON.
func (d Dialect) Table(columns []string, rows [][]Cell) (from string, args []any) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i], _, _ = strings.Cut(c, " ")
	}
	switch {
	case d == PostgreSQL:
		return arrays(columns, names, rows)
	case len(rows) == 0 || len(rows) > maxValueRows:
		return fromJSON(names, rows)
	default:
		return values(names, rows)
	}
}

// arrays is Table for PostgreSQL. Arrays travel as text, which every driver passes on.
func arrays(columns, names []string, rows [][]Cell) (from string, args []any) {
	var b strings.Builder
	b.WriteString("unnest(")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("CAST(? AS " + c[len(names[i])+1:] + "[])")
		column := make([]Cell, len(rows))
		for j, row := range rows {
			column[j] = row[i]
		}
		args = append(args, Array(column))
	}
	b.WriteString(") WITH ORDINALITY AS r(" + strings.Join(names, ", ") + ", n)")
	return b.String(), args
}

// maxValueRows is up to how many rows SQLite gets a parameter for each value, which costs it less
// than JSON. It takes 32,766 parameters, and what a statement takes of memory grows with them.
const maxValueRows = 128

// PowerOfTwo is how many rows a statement has for n of them, if each row has its own parameters: so
// there are few different statements to prepare. What makes up the difference is to be left out.
func PowerOfTwo(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// values is Table for SQLite. The rows that make up a power of two are cut off by the last
// parameter, so that a table has eight statements at most.
func values(names []string, rows [][]Cell) (from string, args []any) {
	size := PowerOfTwo(len(rows))
	var b strings.Builder
	b.WriteString("(SELECT column1 AS n")
	for i, name := range names {
		b.WriteString(", column" + strconv.Itoa(i+2) + " AS " + name)
	}
	b.WriteString(" FROM (VALUES ")
	row := strings.Repeat(", ?", len(names)) + ")"
	for n := range size {
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + strconv.Itoa(n) + row)
	}
	b.WriteString(") WHERE column1 < ?) AS r")
	args = make([]any, size*len(names), size*len(names)+1)
	for i, row := range rows {
		for j, c := range row {
			args[i*len(names)+j] = c.value()
		}
	}
	return b.String(), append(args, len(rows))
}

// fromJSON is Table for more rows in SQLite, as an array of arrays.
func fromJSON(names []string, rows [][]Cell) (from string, args []any) {
	var b strings.Builder
	b.WriteString("(SELECT key AS n")
	for i, name := range names {
		b.WriteString(", value ->> " + strconv.Itoa(i) + " AS " + name)
	}
	b.WriteString(" FROM json_each(?)) AS r")
	return b.String(), []any{JSONTable(rows)}
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
