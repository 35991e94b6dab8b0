package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A reading is all that reading one scalar can lead to.
type reading struct {
	text           string
	whole          int64
	ratio          float64
	yes            bool
	at             time.Time
	refused, loose [5]bool
}

func readAll(data string) reading {
	var r reading
	for i, fn := range []func(*wire.Scanner){
		func(s *wire.Scanner) { r.text = s.Text() },
		func(s *wire.Scanner) { r.whole = s.Int() },
		func(s *wire.Scanner) { r.ratio = s.Float() },
		func(s *wire.Scanner) { r.yes = s.Bool() },
		func(s *wire.Scanner) { r.at = s.Time() },
	} {
		s := scan(data)
		it := s.BeginItem()
		fn(s)
		_, unknown, err := s.EndItem(it)
		r.refused[i], r.loose[i] = err != nil, len(unknown) > 0
	}
	return r
}

// FuzzMixedScalars reads every kind of scalar from numbers and booleans, with quotes around them
// and without, and compares with encoding/json and with stamp, which read the same from
// other places.
func FuzzMixedScalars(f *testing.F) {
	for _, text := range []string{
		`0`, `-0`, `1`, `17`, `-1`, `1.0`, `1.5`, `1e3`, `1E-7`, `1767225600`, `1767225600.7`, `1767225600000`, `253402300799`, `253402300800`,
		`9223372036854775807`, `9223372036854775808`, `-62135596800`, `9007199254740993`, `1e400`, `true`, `false`, `null`, `"2026-04-15T14:30:45+0000"`,
		`"true"`, `"FALSE"`, `""`, `" 1"`, `"0x10"`, `"1_0"`, `"Infinity"`, `"\u0031"`, `[1]`, `{}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || strings.Contains(text, `[[[`) || strings.Contains(text, `{`) {
			return
		}
		got := readAll(text)
		trimmed := strings.Trim(text, " \t\r\n")
		var n json.Number
		var yes, isNumber bool
		if trimmed[0] != '"' && trimmed != "null" {
			isNumber = json.Unmarshal([]byte(text), &n) == nil
		}
		isBool := trimmed != "null" && json.Unmarshal([]byte(text), &yes) == nil
		switch {
		case isNumber:
			require.Equal(t, n.String(), got.text, "a number keeps every digit")
			require.Equal(t, got, readAll(`"`+trimmed+`"`), "quotes around a number make no difference")
		case isBool:
			require.Equal(t, yes, got.yes)
			require.Equal(t, yes, readAll(`"`+trimmed+`"`).yes)
		case trimmed == "null":
			require.Equal(t, reading{}, got)
		}
		if kind := kindOf(text); kind == wire.KindString || kind == wire.KindNumber {
			require.Equal(t, wire.ParseTime(got.text), got.at)
			odd := got.at.IsZero() && got.text != "" && got.text != "0"
			require.Equal(t, odd, got.loose[4], "a time that cannot be read is reported")
		}
		if trimmed[0] == '[' {
			require.Equal(t, [5]bool{true, true, true, true, true}, got.refused)
		}
	})
}

func kindOf(text string) wire.Kind {
	_, kind := wire.Scalar([]byte(text))
	return kind
}
