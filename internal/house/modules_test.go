package house_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A modFile is what "go mod edit -json" and "go work edit -json" print, as far as the rules need
// it.
type modFile struct {
	Module  struct{ Path string }
	Go      string
	Use     []struct{ DiskPath string }
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []struct {
		Old, New struct{ Path string }
	}
}

func readModFile(t *testing.T, kind, file string) modFile {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", kind, "edit", "-json", file)
	cmd.Dir = abs(t)
	out, err := cmd.Output()
	require.NoError(t, err)
	var m modFile
	require.NoError(t, json.Unmarshal(out, &m))
	return m
}

// modules returns every go.mod of the repository by its folder.
func modules(t *testing.T) map[string]modFile {
	t.Helper()
	all := map[string]modFile{}
	require.NoError(t, walk(func(name string, _ func() ([]byte, error)) error {
		if path.Base(name) == "go.mod" {
			all[path.Dir(name)] = readModFile(t, "mod", name)
		}
		return nil
	}))
	require.Contains(t, all, ".")
	return all
}

// One go.work and a replace to the core make a fresh clone one thing: every test runs, and none
// runs against a release.
func TestTheWorkspaceTiesEveryModule(t *testing.T) {
	t.Parallel()
	work := readModFile(t, "work", "go.work")
	var used []string
	for _, use := range work.Use {
		used = append(used, path.Clean(use.DiskPath))
	}
	for dir, m := range modules(t) {
		require.Contains(t, used, dir, "add ./%s to go.work", dir)
		require.Equal(t, work.Go, m.Go, "%s/go.mod and go.work name different versions of Go", dir)
		if dir == "." {
			require.Equal(t, module, m.Module.Path)
			require.Empty(t, m.Replace, "a replace in the core does not reach hosts")
			continue
		}
		require.Equal(t, module+"/"+dir, m.Module.Path)
		replaced := map[string]string{}
		for _, r := range m.Replace {
			replaced[r.Old.Path] = r.New.Path
		}
		up, err := filepath.Rel(dir, ".")
		require.NoError(t, err)
		require.Equal(t, path.Clean(filepath.ToSlash(up)), path.Clean(replaced[module]),
			"%s/go.mod must replace %s", dir, module)
	}
}

// A dependency needs a reason, and CONTRIBUTING.md is where the reasons are.
func TestEveryDependencyHasItsReason(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	require.NoError(t, err)
	for dir, m := range modules(t) {
		for _, r := range m.Require {
			if !r.Indirect && r.Path != module && !strings.HasPrefix(r.Path, module+"/") { // not our own
				reason := strings.Contains(string(text), "`"+r.Path+"`")
				require.True(t, reason, "%s/go.mod needs %s; add its row to CONTRIBUTING.md", dir, r.Path)
			}
		}
	}
}
