package house_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The wiring that README.md shows is the quickstart's host, so that the compiler keeps it true.
func TestREADMEShowsTheHostThatCompiles(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	host, err := os.ReadFile(filepath.Join(root, "examples", "quickstart", "host.go"))
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	_, wiring, found := strings.Cut(string(host), "\n)\n\n")
	require.True(t, found, "host.go has no imports any more; say anew what README.md shows of it")
	require.Contains(t, string(readme), "```go\n"+wiring+"```\n",
		"copy everything behind the imports of examples/quickstart/host.go into the wiring section of README.md")
}
