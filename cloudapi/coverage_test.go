package cloudapi_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// throughDo are endpoints of Meta's documentation without a method, for [cloudapi.Do]. Those of
// Meta's OpenAPI document are in leftOut.
var throughDo = []string{
	"GET, POST /{waba-id}/signups", "GET, POST /signups/{signup-id}",
	"GET, POST, DELETE /{waba-id}/welcome_message_sequences",
	"GET, POST /{waba-id}/payment_configurations", "GET /{phone-number-id}/payments/{configuration}/{reference-id}",
	"GET, POST /{business-id}/max_price_agreements",
	"POST /{business-id}/self_certify_whatsapp_business",
}

// The table of all methods is made from the comments of the methods, and docs/coverage.md
// shows it by services.
func TestCoverageTableIsTrue(t *testing.T) {
	t.Parallel()
	all := directives(t)
	slices.SortFunc(all, func(a, b directive) int { return strings.Compare(a.method, b.method) })
	var table strings.Builder
	table.WriteString("# What package cloudapi covers\n\nMade from the comments of the methods by `go test " +
		"./cloudapi -run TestCoverageTableIsTrue -update`.\n\n" +
		"| method | endpoint |\n| --- | --- |\n")
	endpoints, services := map[string]bool{}, map[string][]string{}
	for _, d := range all {
		service, method, _ := strings.Cut(d.method, ".")
		services[service] = append(services[service], method)
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
	checkPage(t, fmt.Sprintf("%d endpoints as %d methods of %d services", len(endpoints), len(all), len(services)),
		services)
}

// The section of docs/coverage.md between these lines is the table by services.
const (
	tableBegins = "<!-- made by go test ./cloudapi -run TestCoverageTableIsTrue -update -->\n"
	tableEnds   = "\n<!-- until here -->"
)

func checkPage(t *testing.T, count string, services map[string][]string) {
	t.Helper()
	var table strings.Builder
	table.WriteString(
		"| `client.` | methods | `client.` | methods | `client.` | methods |\n| --- | --- | --- | --- | --- | --- |\n",
	)
	names := slices.Sorted(maps.Keys(services))
	for i, service := range names {
		fmt.Fprintf(&table, "| `%s` | %s ", service, strings.Join(services[service], ", "))
		if i%3 == 2 || i == len(names)-1 {
			table.WriteString("|\n")
		}
	}
	t.Log(count + "\n" + table.String())
	name := filepath.Join("..", "docs", "coverage.md")
	page, err := os.ReadFile(name)
	require.NoError(t, err)
	before, rest, ok1 := strings.Cut(string(page), tableBegins)
	have, after, ok2 := strings.Cut(rest, tableEnds)
	require.True(t, ok1 && ok2, "docs/coverage.md has lost its table of calls")
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(before+tableBegins+table.String()+tableEnds+after), 0o644))
		have = table.String()
	}
	require.Equal(t, table.String(), have, "run go test ./cloudapi -run TestCoverageTableIsTrue -update")
	require.Contains(t, string(page), count, "docs/coverage.md's row of calls must say how many there are")
}
