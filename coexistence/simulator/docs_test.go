package main

import (
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/simulator.md names every flag with its variable and default, and no call that is not there.
func TestTheDocsAreTrue(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulator.md"))
	require.NoError(t, err)
	docs := string(b)
	var s settings
	flags := s.flags(io.Discard)
	count := 0
	flags.VisitAll(func(f *flag.Flag) {
		count++
		row := regexp.MustCompile("(?m)^\\| `-" + f.Name + "` \\| `" + variable(f.Name) + "` \\| (.*?) \\|").
			FindStringSubmatch(docs)
		require.Len(t, row, 2, "-%s has no row", f.Name)
		if f.DefValue != "" && f.DefValue != "0s" {
			require.Equal(t, f.DefValue, strings.Trim(row[1], "`"), "-%s", f.Name)
		}
	})
	require.Len(t, regexp.MustCompile("(?m)^\\| `-").FindAllString(docs, -1), count, "a flag is gone")

	p := start(t, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0")
	spec := get(t, p.ready.Control+"/openapi.yaml")
	calls := regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`").FindAllStringSubmatch(docs, -1)
	require.Greater(t, len(calls), 20)
	for _, call := range calls {
		_, rest, found := strings.Cut(spec, "\n  "+call[2]+":")
		require.True(t, found, "there is no %s", call[2])
		if at := regexp.MustCompile(`(?m)^  /`).FindStringIndex(rest); at != nil {
			rest = rest[:at[0]]
		}
		require.Contains(t, rest, "\n    "+strings.ToLower(call[1])+":\n", "there is no %s %s", call[1], call[2])
	}
	resp, err := http.Get(strings.TrimSuffix(p.ready.Page, "/") + "/report")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
