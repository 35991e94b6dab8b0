package cloudapi

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzFlexScalars compares the forgiving scalars with encoding/json wherever that reads the same,
// and reads numbers and booleans with quotes around them and without.
func FuzzFlexScalars(f *testing.F) {
	for _, text := range []string{
		`0`, `-0`, `17`, `1.0`, `1.5`, `1e3`, `9007199254740993`, `1e400`, `true`, `false`, `null`, `"17"`,
		`"true"`, `"TRUE"`, `"t"`, `" 1 "`,
		`"\u0031"`, `"\ud83d"`, `{}`, `[1]`, ``, `"`, ` true `,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) (s flexString, n flexInt, yes flexBool, err error) {
			for _, into := range []json.Unmarshaler{&s, &n, &yes} {
				if err == nil {
					err = into.UnmarshalJSON([]byte(text))
				}
			}
			return s, n, yes, err
		}
		if !json.Valid([]byte(text)) {
			_, _, _, _ = read(text) // encoding/json never passes such a text on; it must not panic all the same
			return
		}
		s, n, yes, err := read(text)
		require.NoError(t, err, "what is JSON spoils no answer")
		var wantText string
		if json.Unmarshal([]byte(text), &wantText) == nil {
			require.Equal(t, wantText, string(s))
		}
		var wantInt int
		if json.Unmarshal([]byte(text), &wantInt) == nil {
			require.Equal(t, wantInt, int(n))
		}
		var wantBool bool
		if json.Unmarshal([]byte(text), &wantBool) == nil {
			require.Equal(t, wantBool, bool(yes))
		}
		if trimmed := strings.Trim(text, " \t\r\n"); strings.Trim(trimmed, "-+.E0123456789truefals") == "" {
			s2, n2, yes2, err := read(strconv.Quote(trimmed))
			require.NoError(t, err)
			require.Equal(t, trimmed, string(s2))
			require.Equal(t, []any{s, n, yes}, []any{s2, n2, yes2}, "quotes make no difference")
		}
	})
}
