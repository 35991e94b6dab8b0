package natsinbox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// An entry is applied or refused, whatever its bytes are, and the snapshot after it is read back as
// the same.
func FuzzEntry(f *testing.F) {
	for _, seed := range []string{
		`{"node":"a","batch":1,"commands":[{"append":[{"key":"k","received_at":1,"body":[{"seq":1,"size":2}]}]},` +
			`{"claim":{"token":"t","lanes":1,"per_lane":5,"lease":1000000000}},` +
			`{"settle":{"token":"t","outcomes":[{"id":1,"events":[{"key":"e","lane":"x"},{"lane":"y","bulk":true,` +
			`"index":1}]}]}},` +
			`{"claim":{"token":"u","kind":1,"lanes":9,"per_lane":9,"lease":1}},{"settle":{"token":"u",` +
			`"outcomes":[{"id":2,"kind":2}]}}]}`,
		`{"node":"a","batch":2,"commands":[{"replay":[1]},{"purge":[2,2]},{"forget":0},{"floor":9},{"snapshot":"a"},` +
			`{"extend":{"token":"t","lease":-1}}]}`,
		`{"commands":[{"snapshotted":{"id":"a","at":1,"size":1,"parts":[1]}},{"unknown":1}]}`, `[]`, ``,
	} {
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		m := newMachine()
		for i, data := range [][]byte{first, second, first} {
			_, _, commands, err := decodeEntry(data)
			if err != nil {
				continue
			}
			m.advance(time.Unix(int64(i), 0))
			for _, c := range commands {
				m.apply(c)
			}
		}
		data, err := m.snapshot().encode()
		require.NoError(t, err)
		again, err := decodeMachine(data)
		require.NoError(t, err)
		other, err := again.snapshot().encode()
		require.NoError(t, err)
		require.Equal(t, data, other)
	})
}

// A snapshot that was damaged is refused, and nothing else happens.
func FuzzSnapshot(f *testing.F) {
	m := newMachine()
	m.apply(command{Append: []appended{{queue.Record{Key: "k"}, []part{{Seq: 1, Size: 2}}}}})
	data, err := m.snapshot().encode()
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = decodeMachine(data) // it may say what it likes
	})
}
