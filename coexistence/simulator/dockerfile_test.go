package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stage is what the steps of one stage of a Dockerfile have made so far, in a folder in place of
// the file system of a container.
type stage struct {
	root, workDir string
	env           map[string]string
	ports         []string
	user          string
	entrypoint    []string
}

// inside is where a path of the container lies.
func (s *stage) inside(name string) string {
	if !path.IsAbs(name) {
		name = path.Join("/", s.workDir, name)
	}
	return filepath.Join(s.root, filepath.FromSlash(name))
}

// The steps of the Dockerfile are done here, without an engine: what they copy is there and enough,
// what they build starts with what they set.
func TestTheDockerfileMakesTheProgram(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	stages := map[string]*stage{}
	var last *stage
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		step, args, _ := strings.Cut(line, " ")
		words := strings.Fields(args)
		switch step {
		case "FROM":
			last = &stage{root: t.TempDir(), env: map[string]string{}}
			if len(words) == 3 {
				requireGo(t, words[0])
				stages[words[2]] = last
			} else {
				require.Equal(t, "scratch", args)
			}
		case "WORKDIR":
			last.workDir = args
		case "COPY":
			last.copy(t, stages, words)
		case "RUN":
			last.run(t, args)
		case "ENV":
			for _, pair := range words {
				name, value, _ := strings.Cut(pair, "=")
				last.env[name] = value
			}
		case "EXPOSE":
			last.ports = words
		case "USER":
			last.user = args
		case "ENTRYPOINT":
			require.NoError(t, json.Unmarshal([]byte(args), &last.entrypoint))
		default:
			require.Fail(t, "the test does not know the step", step)
		}
	}
	last.start(t)
}

// requireGo wants an image with the Go that go.mod names.
func requireGo(t *testing.T, image string) {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	require.Len(t, version, 2)
	require.Equal(t, "golang:"+version[1], image)
}

// copy copies from the repository, or from another stage.
func (s *stage) copy(t *testing.T, stages map[string]*stage, words []string) {
	t.Helper()
	from := func(name string) string { return filepath.Join("..", "..", filepath.FromSlash(name)) }
	if name, ok := strings.CutPrefix(words[0], "--from="); ok {
		require.Contains(t, stages, name)
		from, words = stages[name].inside, words[1:]
	}
	target := words[len(words)-1]
	for _, source := range words[:len(words)-1] {
		info, err := os.Stat(from(source))
		require.NoError(t, err, "COPY %s", source)
		to := s.inside(target)
		if info.IsDir() {
			require.NoError(t, os.CopyFS(to, os.DirFS(from(source))))
			continue
		}
		if strings.HasSuffix(target, "/") {
			to = filepath.Join(to, filepath.Base(source))
		}
		b, err := os.ReadFile(from(source))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o750))
		require.NoError(t, os.WriteFile(to, b, info.Mode()))
	}
}

// run wants a step that builds a program of the packages that are there. It looks for all of them
// and what they embed, and leaves the program itself to the tests that build without cgo.
func (s *stage) run(t *testing.T, args string) {
	t.Helper()
	build := regexp.MustCompile(`^CGO_ENABLED=0 go build -o (/\S+) (\./\S+)$`).FindStringSubmatch(args)
	require.Len(t, build, 3, "RUN %s", args)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", build[2])
	cmd.Dir = s.inside(s.workDir)
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "RUN %s\n%s", args, out)
	require.NoError(t, os.WriteFile(s.inside(build[1]), nil, 0o600))
}

// start reads the settings of the image as the program would.
func (s *stage) start(t *testing.T) {
	t.Helper()
	require.Equal(t, "65534:65534", s.user, "it needs no rights")
	lookup := func(name string) (string, bool) {
		v, ok := s.env[name]
		delete(s.env, name)
		return v, ok
	}
	settings, err := parse(s.entrypoint[1:], lookup, io.Discard)
	require.NoError(t, err)
	require.Empty(t, s.env, "these are settings of nothing")
	for i, address := range []string{settings.graph, settings.listen} {
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		require.Equal(t, "0.0.0.0", host, "a container is reached from outside")
		require.Equal(t, s.ports[i], port)
	}
	require.FileExists(t, s.inside(s.entrypoint[0]))
}
