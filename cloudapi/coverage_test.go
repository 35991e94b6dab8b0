package cloudapi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// throughDo are endpoints of Meta's documentation without a method, for [cloudapi.Do]. Those of Meta's OpenAPI document are
// in leftOut.
var throughDo = []string{
	"POST /{phone-number-id}/thread_control",
	"GET, POST /{waba-id}/signups", "GET, POST /signups/{signup-id}",
	"GET, POST, DELETE /{waba-id}/welcome_message_sequences",
	"GET, POST /{waba-id}/payment_configurations", "GET /{phone-number-id}/payments/{configuration}/{reference-id}",
	"POST /{business-id}/self_certify_whatsapp_business",
}

// The table of all methods is made from the comments of the methods, and README.md counts what is in it.
func TestCoverageTableIsTrue(t *testing.T) {
	t.Parallel()
	all := directives(t)
	slices.SortFunc(all, func(a, b directive) int { return strings.Compare(a.method, b.method) })
	var table strings.Builder
	table.WriteString("# What package cloudapi covers\n\nMade from the comments of the methods by `go test ./cloudapi -run TestCoverageTableIsTrue -update`.\n\n" +
		"| method | endpoint |\n| --- | --- |\n")
	endpoints, services := map[string]bool{}, map[string]bool{}
	for _, d := range all {
		service, _, _ := strings.Cut(d.method, ".")
		services[service] = true
		what := "several calls"
		if d.line != "" {
			verb, path, _ := strings.Cut(strings.TrimPrefix(d.line, "graph:"), " ")
			path, words, _ := strings.Cut(path, " ")
			what = fmt.Sprintf("%s `%s` %s", verb, path, words)
			endpoints[verb+" "+path] = true
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", d.method, strings.TrimSpace(what))
	}
	table.WriteString("\n## Without a method\n\n`cloudapi.Do` calls these, with everything that the methods have.\n\n")
	for _, line := range throughDo {
		fmt.Fprintf(&table, "- %s\n", line)
	}
	var rest []string
	for key, reason := range leftOut {
		rest = append(rest, fmt.Sprintf("- %s: %s\n", key, strings.TrimSuffix(reason, ": cloudapi.Do")))
	}
	slices.Sort(rest)
	table.WriteString(strings.Join(rest, ""))

	if *update {
		require.NoError(t, os.WriteFile("COVERAGE.md", []byte(table.String()), 0o644))
	}
	have, err := os.ReadFile("COVERAGE.md")
	require.NoError(t, err)
	require.Equal(t, table.String(), string(have), "run go test ./cloudapi -run TestCoverageTableIsTrue -update")
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	count := fmt.Sprintf("%d endpoints as %d methods of %d services", len(endpoints), len(all), len(services))
	t.Log(count)
	if !strings.Contains(string(readme), count) {
		t.Errorf("README.md's row of calls must say: %s", count)
	}
}
