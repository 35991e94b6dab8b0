//go:build unix

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// Everything that is sent is in the conversations, which run checks itself, and the picture is
// well-formed.
func TestAShortHistoryIsImportedAndDrawn(t *testing.T) {
	t.Parallel()
	var seen []sample
	samples, err := run(t.Context(), 6001, 500, "", func(s sample) { seen = append(seen, s) })
	require.NoError(t, err)
	require.Equal(t, samples, seen)
	require.Equal(t, 6001, samples[len(samples)-1].messages)
	require.Contains(t, summary(samples), "per message")
	dec := xml.NewDecoder(bytes.NewReader(draw(samples)))
	for {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
}
