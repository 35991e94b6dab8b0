package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
)

// buckets are places for a test.
func buckets(t *testing.T) map[string]string {
	t.Helper()
	folder := url.URL{
		Scheme: "file", Path: filepath.ToSlash(t.TempDir()), RawQuery: "no_tmp_dir=true&metadata=skip",
	}
	return map[string]string{"memory": "mem://", "folder": folder.String()}
}

func TestAFileIsKeptInABucketAndForgotten(t *testing.T) {
	t.Parallel()
	for name, where := range buckets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), &out, where))
			require.Equal(t, "files in the bucket: 1\nthe message has a picture of 64 by 48 dots\n"+
				"files in the bucket: 0\n", out.String())
		})
	}
}

var errBroken = errors.New("the download broke off")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

// The store keeps the promises of media.Store: whole files or none, and prefixes.
func TestABucketHoldsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	for name, where := range buckets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			bucket, err := blob.OpenBucket(ctx, where)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, bucket.Close()) })
			s := store{bucket}
			one, two, other := media.Key("1", "wamid.1"), media.Key("1", "wamid.2"), media.Key("11", "wamid.1")
			for _, key := range []string{one, two, other, one} {
				require.NoError(t, s.Put(ctx, key, bytes.NewReader([]byte(key))))
			}
			half := io.MultiReader(bytes.NewReader(make([]byte, 100_000)), broken{})
			require.ErrorIs(t, s.Put(ctx, media.Key("1", "wamid.3"), half), errBroken)
			_, err = s.Open(ctx, media.Key("1", "wamid.3"))
			require.ErrorIs(t, err, fs.ErrNotExist)
			size, err := s.Size(ctx, "1/")
			require.NoError(t, err)
			require.EqualValues(t, len(one)+len(two), size)

			r, err := s.Open(ctx, one)
			require.NoError(t, err)
			body, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.Equal(t, one, string(body))

			require.NoError(t, s.Delete(ctx, one))
			require.NoError(t, s.Delete(ctx, one))
			_, err = s.Open(ctx, one)
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.NoError(t, s.Delete(ctx, "1/"))
			size, err = s.Size(ctx, "")
			require.NoError(t, err)
			require.EqualValues(t, len(other), size)
		})
	}
}
