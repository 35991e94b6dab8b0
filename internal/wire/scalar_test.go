package wire_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// reads reads each text with one method of the scanner and compares.
func reads[T any](t *testing.T, read func(*wire.Scanner) T, want map[string]T) {
	t.Helper()
	for text, want := range want {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := scan(text)
			require.Equal(t, want, read(s))
			s.End()
			require.NoError(t, s.Err())
		})
	}
}

func TestTextReadsNumbersAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	reads(t, (*wire.Scanner).Text, map[string]string{
		`"a"`: "a", `1.50`: "1.50", `12345678901234567890123`: "12345678901234567890123", `null`: "",
		`"\u00e9\n\/\"\\"`: "é\n/\"\\", `"\ud83d\ude00"`: "😀",
	})
}

func TestTextReplacesWhatIsNoUnicode(t *testing.T) {
	t.Parallel()
	reads(t, (*wire.Scanner).Text, map[string]string{
		`"\ud83d"`: "\ufffd", `"\ude00\ud83d"`: "\ufffd\ufffd", `"\ud83d\u0041"`: "\ufffdA", "\"a\xffb\"": "a\ufffdb",
	})
}

func TestIntReadsStrings(t *testing.T) {
	t.Parallel()
	reads(t, (*wire.Scanner).Int, map[string]int64{
		`5`: 5, `"5"`: 5, `" 5 "`: 5, `-7`: -7, `"-7"`: -7, `5.0`: 5, `1e3`: 1000, `null`: 0, `""`: 0,
		`9223372036854775807`: math.MaxInt64,
	})
}

func TestFloatReadsStrings(t *testing.T) {
	t.Parallel()
	reads(t, (*wire.Scanner).Float, map[string]float64{`5`: 5, `"5.25"`: 5.25, `-0.5`: -0.5, `null`: 0, `""`: 0})
}

func TestBoolReadsStringsAndNumbers(t *testing.T) {
	t.Parallel()
	reads(t, (*wire.Scanner).Bool, map[string]bool{
		`true`: true, `"true"`: true, `"TRUE"`: true, `1`: true, `"1"`: true,
		`false`: false, `"false"`: false, `0`: false, `null`: false, `""`: false,
	})
}

func TestTimeReadsSecondsAndDates(t *testing.T) {
	t.Parallel()
	moment := time.Unix(1767225600, 0).UTC()
	reads(t, (*wire.Scanner).Time, map[string]time.Time{
		`"1767225600"`: moment, `1767225600`: moment, `"2026-01-01T00:00:00+0000"`: moment,
		`null`: {}, `""`: {}, `0`: {}, `"0"`: {},
	})
}

func TestScalarTellsTextAndKind(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data, text string
		kind       wire.Kind
	}{
		"string":         {`"a\u0062"`, "ab", wire.KindString},
		"number":         {` -1.50e3 `, "-1.50e3", wire.KindNumber},
		"boolean":        {`true`, "true", wire.KindBool},
		"null":           {`null`, "", wire.KindNull},
		"object":         {`{"a":1}`, "", wire.KindObject},
		"array":          {`["a"]`, "", wire.KindArray},
		"nothing":        {``, "", wire.KindNone},
		"two values":     {`1 2`, "", wire.KindNone},
		"an open string": {`"a`, "", wire.KindNone},
		"no number":      {`12x`, "", wire.KindNone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, kind := wire.Scalar([]byte(tt.data))
			require.Equal(t, tt.kind, kind)
			require.Equal(t, tt.text, text)
		})
	}
}

// A reading is the result of reading one scalar in each way.
type reading struct {
	text    string
	whole   int64
	ratio   float64
	yes     bool
	at      time.Time
	refused [5]bool // it was reported as a mismatch
	unknown [5]bool // it was reported as an unknown member
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
		r.refused[i], r.unknown[i] = err != nil, len(unknown) > 0
	}
	return r
}

// FuzzMixedScalars reads every kind of scalar from numbers and booleans, with quotes around them
// and without, and compares with encoding/json and with stamp, which read the same from
// other places.
func FuzzMixedScalars(f *testing.F) {
	for _, text := range []string{
		`0`, `-0`, `1`, `17`, `-1`, `1.0`, `1.5`, `1e3`, `1E-7`, `1767225600`, `1767225600.7`, `1767225600000`,
		`253402300799`, `253402300800`,
		`9223372036854775807`, `9223372036854775808`, `-62135596800`, `9007199254740993`, `1e400`, `true`, `false`,
		`null`, `"2026-04-15T14:30:45+0000"`,
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
			require.Equal(t, odd, got.unknown[4], "a time that cannot be read is reported")
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
