package payloads_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
)

func TestSeveralFoldersCanBeNamed(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(first, "signup"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(second, "standby-empty.json"), nil, 0o600))
	t.Setenv("COEXISTENCE_PAYLOADS", first+string(filepath.ListSeparator)+second)
	require.Equal(t, first, payloads.Folder("signup"))
	require.Equal(t, second, payloads.Folder("standby-empty.json"))
	require.Empty(t, payloads.Folder("other"))
	t.Setenv("COEXISTENCE_PAYLOADS", "")
	require.Empty(t, payloads.Folder("signup"))
}
