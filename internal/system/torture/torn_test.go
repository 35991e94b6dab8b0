package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A torn end takes away what was written last, and nothing in front of it, and the store opens and
// takes more.
func TestATornEndTakesNothingBeforeIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(dir, "inbox.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	const records = 60
	var ends []int64 // of the log, after each record
	for i := range records {
		_, err := s.Append(t.Context(), []inbox.Record{{
			DedupKey: fmt.Sprint(i), Body: fmt.Append(nil, "body ", i), ReceivedAt: time.Now(),
		}})
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(dir, "inbox.db-wal"))
		require.NoError(t, err)
		ends = append(ends, info.Size())
	}
	require.Greater(t, ends[records-1], ends[0], "the log was begun anew, so its size says nothing")
	random := rand.New(rand.NewPCG(seed(t), 0))
	for range 20 {
		at := ends[0] + random.Int64N(ends[records-1]-ends[0])
		kept := 0
		for _, end := range ends {
			if end <= at {
				kept++
			}
		}
		for name, tear := range map[string]func(path string){
			"cut off": func(path string) { require.NoError(t, os.Truncate(path, at)) },
			"garbage": func(path string) {
				f, err := os.OpenFile(path, os.O_WRONLY, 0)
				require.NoError(t, err)
				_, err = f.WriteAt([]byte("nobody wrote this"), at)
				require.NoError(t, err)
				require.NoError(t, f.Close())
			},
		} {
			torn := t.TempDir()
			for _, file := range []string{"inbox.db", "inbox.db-wal"} {
				copyFile(t, filepath.Join(dir, file), filepath.Join(torn, file))
			}
			tear(filepath.Join(torn, "inbox.db-wal"))
			again, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(torn, "inbox.db"))
			require.NoError(t, err, name)
			b, err := again.Claim(t.Context(), inbox.ClaimRequest{
				Kind: inbox.KindDelivery, Lanes: 1, PerLane: 2 * records, LeaseDuration: time.Minute,
			})
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(b.Records), kept, "%s at %d took what lies before it", name, at)
			require.Less(t, len(b.Records), records, "%s at %d took nothing", name, at)
			for i, rec := range b.Records {
				require.Equal(t, fmt.Sprint("body ", i), string(rec.Body))
			}
			added, err := again.Append(t.Context(), []inbox.Record{{DedupKey: "next", ReceivedAt: time.Now()}})
			require.NoError(t, err)
			require.Equal(t, 1, added)
			require.NoError(t, again.Close())
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}
