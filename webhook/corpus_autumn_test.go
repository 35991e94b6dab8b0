package webhook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// autumnRow is a line of the index of the bodies of autumn 2026: the file, and how it came about.
var autumnRow = regexp.MustCompile("(?m)^\\| `([^`]+\\.json)` \\| ([^|]+) \\|")

// autumnFiles returns the bodies for the changes of autumn 2026 that are webhooks, and whether
// every member of each has a source.
func autumnFiles(t *testing.T) (files map[string][]byte, sourced map[string]bool) {
	t.Helper()
	dir := payloads.Folder("standby-empty.json")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder with the bodies of autumn 2026")
	}
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.md"))
	require.NoError(t, err)
	files, sourced = map[string][]byte{}, map[string]bool{}
	rows := autumnRow.FindAllStringSubmatch(string(index), -1)
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, rows, len(names), "every file has a row")
	for _, row := range rows {
		name := row[1]
		if strings.HasPrefix(name, "api-") || strings.HasPrefix(name, "signup-") {
			continue // for packages cloudapi and signup
		}
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		sourced[name] = row[2] == "composed after"
	}
	require.NotEmpty(t, files)
	return files, sourced
}

func TestBodiesOfAutumn2026AreDecodedWithoutLoss(t *testing.T) {
	t.Parallel()
	files, sourced := autumnFiles(t)
	for name, body := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := checkLossless(body, webhook.Decode)
			require.NoError(t, err)
			require.Empty(t, report.lost)
			require.NotContains(t, report.kinds, "UndecodableEvent")
			untyped := slices.DeleteFunc(report.untyped, func(path string) bool {
				return strings.HasSuffix(path, "."+undocumented[name]) || standbyRequest.MatchString(path)
			})
			if sourced[name] {
				require.Empty(t, untyped, "everything in it wants a type")
			}
		})
	}
}

// standbyRequest matches what is in a [webhook.StandbyEcho] as JSON by design: the request with
// which the owner sent the message, which package cloudapi reads, and the definitions beside it.
var standbyRequest = regexp.MustCompile(`\.standby\.message_echoes\[\d+\]\.(message|template|flow)\.`)

// undocumented holds members that integrators have seen and no page of Meta's has.
var undocumented = map[string]string{"user-action-click-then-view-reversed.json": "client_user_agent"}
