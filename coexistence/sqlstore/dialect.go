package sqlstore

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A Dialect is the SQL that a database speaks.
type Dialect string

const (
	SQLite     Dialect = "sqlite"     // 3.38 or newer
	PostgreSQL Dialect = "postgresql" // 12 or newer; tested with 15
)

// rebind puts in the placeholders of the dialect. Statements are written with question marks and have no others.
func (d Dialect) rebind(query string) string {
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

// forUpdate keeps rows that were read from changing until the transaction ends. In SQLite, nobody else writes meanwhile.
func (d Dialect) forUpdate() string {
	if d == PostgreSQL {
		return " FOR UPDATE"
	}
	return ""
}

// oneOf is a condition behind a column: it is one of any number of texts. It takes one parameter, so that there are few
// different statements for the database to prepare.
func (d Dialect) oneOf(texts []string) (string, any) {
	if d == PostgreSQL {
		cells := make([]cell, len(texts))
		for i, t := range texts {
			cells[i] = textCell(t)
		}
		return " = ANY(CAST(? AS text[]))", array(cells)
	}
	return " IN (SELECT value FROM json_each(?))", jsonArray(texts)
}

// A cell is a value in a table that is handed to the database: a text, or a number that may be missing.
type cell struct {
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

func textCell(s string) cell  { return cell{text: s, kind: cellText} }
func numberCell(n int64) cell { return cell{number: n, kind: cellNumber} }
func nullable(n *int64) cell {
	if n == nil {
		return cell{}
	}
	return numberCell(*n)
}

// table is a SELECT of constant columns followed by those of the rows. The rows travel as one parameter (SQLite) or as one for each
// column (PostgreSQL), however many there are, and in a form that every driver passes on: as text.
func (d Dialect) table(constants []string, types []string, rows [][]cell) (string, []any) {
	args := make([]any, 0, len(constants)+len(types))
	for _, c := range constants {
		args = append(args, c)
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	if d != PostgreSQL {
		b.WriteString(strings.Repeat("?, ", len(constants)))
		for i := range types {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("value ->> " + strconv.Itoa(i))
		}
		b.WriteString(" FROM json_each(?)")
		return b.String(), append(args, jsonTable(rows))
	}
	b.WriteString(strings.Repeat("CAST(? AS text), ", len(constants)))
	b.WriteString("r.* FROM unnest(")
	for i, typ := range types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("CAST(? AS " + typ + "[])")
		column := make([]cell, len(rows))
		for j, row := range rows {
			column[j] = row[i]
		}
		args = append(args, array(column))
	}
	b.WriteString(") AS r")
	return b.String(), args
}

// array writes cells as PostgreSQL writes an array.
func array(cells []cell) string {
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

// jsonTable writes rows as a JSON array of arrays.
func jsonTable(rows [][]cell) string {
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
				b = append(b, jsonString(c.text)...)
			}
		}
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

func jsonArray(texts []string) string {
	cells := make([]cell, len(texts))
	for i, t := range texts {
		cells[i] = textCell(t)
	}
	row := jsonTable([][]cell{cells})
	return row[1 : len(row)-1]
}

func jsonString(s string) []byte {
	b, _ := json.Marshal(s) // a string is never refused
	return b
}

// text is s as every database keeps it: PostgreSQL knows no NUL and no invalid UTF-8. Ids have neither; a broken one is still
// stored and found, and spoils nothing else.
func text[S ~string](s S) string {
	return strings.ToValidUTF8(strings.ReplaceAll(string(s), "\x00", "\uFFFD"), "\uFFFD")
}
