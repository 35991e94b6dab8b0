package graph_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestTimestampReadsEveryForm(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 4, 15, 12, 30, 45, 0, time.UTC)
	tests := map[string]struct {
		json string
		want time.Time
	}{
		"string":                    {`"1776256245"`, moment},
		"number":                    {`1776256245`, moment},
		"number with a fraction":    {`1776256245.75`, moment},
		"number with an exponent":   {`1.776256245e9`, moment},
		"offset without a colon":    {`"2026-04-15T12:30:45+0000"`, moment},
		"another offset":            {`"2026-04-15T09:30:45-0300"`, moment},
		"RFC 3339":                  {`"2026-04-15T14:30:45+02:00"`, moment},
		"RFC 3339 with a fraction":  {`"2026-04-15T12:30:45.678Z"`, moment},
		"English long date":         {`"January 31, 2021"`, time.Date(2021, 1, 31, 0, 0, 0, 0, time.UTC)},
		"before 1970":               {`-1`, time.Unix(-1, 0).UTC()},
		"underscores":               {`"1_776_256_245"`, time.Time{}},
		"null":                      {`null`, time.Time{}},
		"zero, which means never":   {`0`, time.Time{}},
		"zero in a string":          {`"0"`, time.Time{}},
		"1970 written out":          {`"1970-01-01T00:00:00+0000"`, time.Time{}},
		"empty":                     {`""`, time.Time{}},
		"placeholder of the docs":   {`"<TIMESTAMP>"`, time.Time{}},
		"hexadecimal":               {`"0x1p30"`, time.Time{}},
		"not a number":              {`"NaN"`, time.Time{}},
		"infinite":                  {`"Inf"`, time.Time{}},
		"beyond the year 9999":      {`253402300800`, time.Time{}},
		"beyond int64":              {`99999999999999999999`, time.Time{}},
		"before the year 1":         {`"0000-12-31T00:00:00Z"`, time.Time{}},
		"last second of the range":  {`253402300799`, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		"first second of the range": {`-62135596800`, time.Time{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := struct {
				At graph.Timestamp `json:"at"`
			}{At: graph.NewTimestamp(moment.AddDate(-1, 0, 0))}
			require.NoError(t, json.Unmarshal([]byte(`{"at":`+tt.json+`}`), &got))
			require.Equal(t, tt.want, got.At.Time)
			require.Equal(t, tt.want.IsZero(), got.At.IsZero())
		})
	}
}

func TestTimestampRefusesWhatIsNoScalar(t *testing.T) {
	t.Parallel()
	for _, v := range []string{`true`, `{}`, `[1]`, `12x`, `"open`, ``} {
		var got graph.Timestamp
		require.Error(t, got.UnmarshalJSON([]byte(v)), "%q", v)
	}
}

func TestTimestampWritesSecondsInAString(t *testing.T) {
	t.Parallel()
	type record struct {
		At    graph.Timestamp `json:"at"`
		Maybe graph.Timestamp `json:"maybe,omitzero"`
	}
	b, err := json.Marshal(record{
		At: graph.NewTimestamp(time.Date(2026, 4, 15, 14, 30, 45, 0, time.FixedZone("", 7200))),
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"at":"1776256245"}`, string(b))

	b, err = json.Marshal(record{})
	require.NoError(t, err)
	require.JSONEq(t, `{"at":null}`, string(b))
}

// Whatever was read is in UTC and to the second, and reads back the same once written.
func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{
		`"1776256245"`, `1776256245`, `1.5`, `-1`, `0`, `null`, `"2023-08-22T19:05:53+0000"`,
		`"2026-04-15T14:30:45.5+02:00"`,
		`"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-1200"`, `"0x1p4"`, `1e300`, `{}`, `"`, ``, "0 \f",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var got graph.Timestamp
		if err := got.UnmarshalJSON(b); err != nil {
			return
		}
		require.True(t, json.Valid(b), "accepted what is not JSON: %q", b)
		require.Equal(t, time.UTC, got.Location())
		require.Zero(t, got.Nanosecond())
		again, err := json.Marshal(got)
		require.NoError(t, err)
		var second graph.Timestamp
		require.NoError(t, json.Unmarshal(again, &second))
		require.Equal(t, got, second)
	})
}
