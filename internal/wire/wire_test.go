package wire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

func scan(text string) *wire.Scanner {
	s := new(wire.Scanner)
	s.Reset([]byte(text))
	return s
}

// valid skips the one value of text.
func valid(text string) error {
	s := scan(text)
	s.Skip()
	s.End()
	return s.Err()
}

var grammar = []string{
	`null`, `true`, `false`, `0`, `-0`, `1.5e-7`, `-12E+3`, `""`, `"é\u00e9\ud83d\ude00\/"`, `[]`, `{}`, ` [ 1 , 2 ] `,
	`{"a":{"b":[{},[],"x",{"c":null}]},"d":-1}`, "\"\u007f\"", `"\ud83d"`, "\"\xff\"", `[[[[]]]]`, "\t\r\n 1",
	``, ` `, `nul`, `nulll`, `tru`, `01`, `+1`, `1.`, `.5`, `1e`, `1e+`, `-`, `--1`, `0x1`, `NaN`, `Infinity`,
	`"`, `"\`, `"\"`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\x00\"",
	`[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1,,2]`, `[1 2]`, `{`, `}`, `{"a"`, `{"a":`, `{"a":1`,
	`{"a":1,`, `{"a":1,}`, `{,}`, `{a:1}`, `{1:2}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":}`, `[1}`, `{"a":1]`, `1 2`,
	"1\x00", `"a"b`, `'a'`, `/**/1`, `[1]//`, "\ufeff1", `"a` + "\u2028" + `b"`,
	`{"a":[1,{"b":[2,{"c":3}]}]}`, `"12345678\"12345678"`, `"1234567` + "\x1f" + `"`,
}

func TestSkipAcceptsExactlyJSON(t *testing.T) {
	t.Parallel()
	for _, text := range grammar {
		require.Equal(t, json.Valid([]byte(text)), valid(text) == nil, "%q: %v", text, valid(text))
		for i := range len(text) {
			require.Equal(t, json.Valid([]byte(text[:i])), valid(text[:i]) == nil, "%q", text[:i])
		}
	}
}

func TestNestingEndsAt64(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	require.NoError(t, valid(nested(64)))
	require.Error(t, valid(nested(65)))
	require.NoError(t, valid(`[{"a":`+nested(62)+`}]`))
	require.Error(t, valid(`[{"a":`+nested(63)+`}]`))
	require.Error(t, valid(strings.Repeat(`[`, 3<<20)))
	require.Error(t, valid(strings.Repeat(`{"a":`, 1<<20)))

	var walk func(s *wire.Scanner)
	walk = func(s *wire.Scanner) {
		if s.Array() {
			for s.NextElement() {
				walk(s)
			}
		}
	}
	s := scan(nested(64))
	walk(s)
	s.End()
	require.NoError(t, s.Err())
	s = scan(nested(65))
	walk(s)
	require.Error(t, s.Err())
}

func TestMismatchesNameThePathAndNeverTheValue(t *testing.T) {
	t.Parallel()
	type inner struct {
		N     int               `json:"n"`
		F     float64           `json:"f"`
		B     bool              `json:"b"`
		S     string            `json:"s"`
		Notes map[string]string `json:"notes"`
		List  []string          `json:"list"`
	}
	type outer struct {
		Items []inner `json:"items"`
	}
	decoder := wire.For[outer]()
	tests := map[string]string{
		`{"items":[{},{"n":"private"}]}`:           "items[1].n: want a whole number, got a string that is none",
		`{"items":[{"n":1.5}]}`:                    "items[0].n: want a whole number, got a number that is none",
		`{"items":[{"n":99999999999999999999}]}`:   "items[0].n: want a whole number, got a number that is none",
		`{"items":[{"f":"Inf"}]}`:                  "items[0].f: want a number, got a string that is none",
		`{"items":[{"f":1e400}]}`:                  "items[0].f: want a number, got a number that is none",
		`{"items":[{"b":"private"}]}`:              "items[0].b: want true or false, got a string that is none",
		`{"items":[{"b":{}}]}`:                     "items[0].b: want a bool, got an object",
		`{"items":[{"s":["private"]}]}`:            "items[0].s: want a string, got an array",
		`{"items":[{"notes":["private"]}]}`:        "items[0].notes: want an object, got an array",
		`{"items":[{"list":["a",{"private":1}]}]}`: "items[0].list[1]: want a string, got an object",
		`{"items":"private"}`:                      "items: want an array, got a string",
		`["private"]`:                              "want an object, got an array",
	}
	for in, want := range tests {
		s := scan(in)
		it := s.BeginItem()
		var v outer
		decoder.Decode(s, &v)
		raw, _, err := s.EndItem(it)
		require.EqualError(t, err, want, in)
		require.Equal(t, in, string(raw))
		s.End()
		require.NoError(t, s.Err())
	}
}

func TestItemsKeepTheirReportsApart(t *testing.T) {
	t.Parallel()
	type item struct {
		A string `json:"a"`
	}
	decoder := wire.For[item]()
	s := scan(`{"list":[{"a":"1","x":{"y":[1]}},{"a":{}},{"a":"3","\u0062":2}],"z":null}`)
	var got []string
	require.True(t, s.Object())
	for s.NextMember() {
		if string(s.Name()) != "list" {
			s.Unknown()
			continue
		}
		require.True(t, s.Array())
		for s.NextElement() {
			it := s.BeginItem()
			var v item
			decoder.Decode(s, &v)
			raw, unknown, err := s.EndItem(it)
			got = append(got, string(raw))
			for _, m := range unknown {
				got = append(got, m.Path+"="+string(m.Value))
			}
			if err != nil {
				got = append(got, err.Error())
			}
		}
	}
	s.End()
	require.NoError(t, s.Err())
	require.Equal(t, []string{
		`{"a":"1","x":{"y":[1]}}`, `x={"y":[1]}`,
		`{"a":{}}`, `a: want a string, got an object`,
		`{"a":"3","\u0062":2}`, `b=2`,
	}, got)
}

// A stamp is a time as graph.Timestamp is one.
type stamp struct{ time.Time }

func TestOddTimesAreKeptAsUnknown(t *testing.T) {
	t.Parallel()
	type item struct {
		At stamp `json:"at"`
	}
	s := scan(`{"at":"soon"}`)
	it := s.BeginItem()
	var v item
	wire.For[item]().Decode(s, &v)
	_, unknown, err := s.EndItem(it)
	require.NoError(t, err)
	require.Zero(t, v)
	require.Equal(t, []wire.Member{{Path: "at", Value: []byte(`"soon"`)}}, unknown)
}

type node struct {
	Name  string            `json:"name"`
	Other string            `json:"other"`
	Size  int64             `json:"size"`
	Ratio float64           `json:"ratio"`
	Open  bool              `json:"open"`
	Maybe *bool             `json:"maybe"`
	Tags  []string          `json:"tags"`
	Notes map[string]string `json:"notes"`
	Leaf  leaf              `json:"leaf"`
	Ptr   *leaf             `json:"ptr"`
	Leafs []leaf            `json:"leafs"`
}

type leaf struct {
	X string `json:"x"`
	Y int    `json:"y"`
}

func TestLaterDuplicatesReplace(t *testing.T) {
	t.Parallel()
	s := scan(`{"leaf":{"x":"old","y":1},"leaf":{"y":2},"ptr":{"x":"old"},"ptr":{"y":3},
		"leafs":[{"x":"old"},{}],"leafs":[{"y":4}],
		"tags":["a","b"],"tags":null,"notes":{"a":"1"},"notes":{"b":"2"},"name":"old","name":null,"NAME":"case",
		"na\u006de":"escaped"}`)
	var v node
	wire.For[node]().Decode(s, &v)
	s.End()
	require.NoError(t, s.Err())
	require.Equal(t, node{
		Name: "escaped", Leaf: leaf{Y: 2}, Ptr: &leaf{Y: 3}, Leafs: []leaf{{Y: 4}}, Notes: map[string]string{"b": "2"},
	}, v)
}

func FuzzSkip(f *testing.F) {
	for _, text := range grammar {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := valid(string(data))
		if err != nil && strings.Contains(err.Error(), "too deep") {
			return
		}
		if json.Valid(data) != (err == nil) {
			t.Fatalf("json.Valid %v, ours %v", json.Valid(data), err)
		}
	})
}

// FuzzStruct compares with encoding/json where both promise the same: no names in another case, no
// duplicates, no mixed types.
func FuzzStruct(f *testing.F) {
	f.Add([]byte(`{"name":"a\u00e9\ud83d","size":5,"ratio":1.5,"open":true,"maybe":false,"tags":["x",""],` +
		`"notes":{"k":"v"},"leaf":{"x":"1","y":2},"ptr":{},"leafs":[{},{"y":-3}]}`))
	f.Add([]byte("{\"name\":\"\xff\xc3\",\"other\":\"long enough for eight bytes \\u2028\"}"))
	f.Add([]byte(`{"leaf":null,"ptr":null,"leafs":null,"size":null,"x":[{"y":[]}]}`))
	decoder := wire.For[node]()
	f.Fuzz(func(t *testing.T, data []byte) {
		var want, got node
		if json.Unmarshal(data, &want) != nil || tricky(data) {
			return
		}
		s := new(wire.Scanner)
		s.Reset(data)
		it := s.BeginItem()
		decoder.Decode(s, &got)
		_, _, err := s.EndItem(it)
		s.End()
		if s.Err() != nil {
			if strings.Contains(s.Err().Error(), "too deep") {
				return
			}
			t.Fatal(s.Err())
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Tags) == 0 {
			want.Tags = nil
		}
		if len(want.Leafs) == 0 {
			want.Leafs = nil
		}
		require.Equal(t, want, got)
	})
}

// tricky reports names that encoding/json folds or merges.
func tricky(data []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(data))
	var seen []map[string]bool
	var names []bool // whether the next string is a name, per level
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		top := len(seen) - 1
		switch tok := tok.(type) {
		case json.Delim:
			switch tok {
			case '{':
				seen, names = append(seen, map[string]bool{}), append(names, true)
				continue
			case '[':
				seen, names = append(seen, nil), append(names, false)
				continue
			}
			seen, names = seen[:top], names[:top]
			top--
		case string:
			if top >= 0 && seen[top] != nil && names[top] {
				folded := strings.ToLower(strings.ReplaceAll(tok, "ſ", "s"))
				if folded != tok || seen[top][tok] || strings.ContainsRune(tok, '\ufffd') {
					return true
				}
				seen[top][tok] = true
				names[top] = false
				continue
			}
		}
		if top >= 0 && seen[top] != nil {
			names[top] = true
		}
	}
}

func FuzzScalars(f *testing.F) {
	for _, text := range grammar {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(fn func(*wire.Scanner)) {
			s := new(wire.Scanner)
			s.Reset(data)
			fn(s)
			s.End()
			if ok := s.Err() == nil; ok != json.Valid(data) && (ok || !strings.Contains(s.Err().Error(), "too deep")) {
				t.Fatalf("json.Valid %v, ours %v", json.Valid(data), s.Err())
			}
		}
		var text string
		if json.Unmarshal(data, &text) == nil {
			read(func(s *wire.Scanner) { require.Equal(t, text, s.Text()) })
		}
		var n int64
		if json.Unmarshal(data, &n) == nil {
			read(func(s *wire.Scanner) { require.Equal(t, n, s.Int()) })
		}
		var x float64
		if json.Unmarshal(data, &x) == nil {
			read(func(s *wire.Scanner) { require.Equal(t, x, s.Float()) })
		}
		read(func(s *wire.Scanner) { s.Text() })
		read(func(s *wire.Scanner) { s.Int() })
		read(func(s *wire.Scanner) { s.Float() })
		read(func(s *wire.Scanner) { s.Bool() })
		read(func(s *wire.Scanner) { s.Time() })
	})
}
