package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/clients.md")

// table is the page that the test makes.
const table = "../../../docs/clients.md"

// A script is a client's script and the package that it tries.
type script struct{ name, module string }

// scripts are the clients, in the order of the table.
var scripts = []script{
	{"kapso", "@kapso/whatsapp-cloud-api"},
	{"whatsapp-api-js", "whatsapp-api-js"},
	{"great-detail", "@great-detail/whatsapp"},
	{"whatsapp", "whatsapp"},
	{"whatsapp-cloudapi-client", "@whatsapp-cloudapi/client"},
	{"whatsapp-cloud-api", "whatsapp-cloud-api"},
	{"facebook-nodejs-business-sdk", "facebook-nodejs-business-sdk"},
	{"whatsappcloudapi_wrapper", "whatsappcloudapi_wrapper"},
}

// bugs are what fails and would fail at Meta too, by client and operation.
var bugs = map[string]map[string]string{
	"@kapso/whatsapp-cloud-api": {
		"media: download": "it sends a token only to its maker's hosts, and takes Meta's refusal for " +
			"the file; `auth: \"always\"` helps",
	},
	"@great-detail/whatsapp": {
		"media: download": "it sends no token to Meta's host of files; headers of your own help",
	},
	"whatsapp": {
		"webhooks: a text and a tap": "it adds up the parts of a body as text and hands that to `Buffer.concat`, " +
			"which ends the process",
	},
}

// An outcome is what came of an operation, as a script prints it.
type outcome struct {
	Area  string `json:"area"`
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

func TestPublishedClientsWorkUnchanged(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s on this machine; install the packages nodejs and npm", name)
		}
	}
	dir := t.TempDir()
	install(t, dir)
	simulator := filepath.Join(dir, "simulator")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", simulator,
		"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/simulator").CombinedOutput()
	require.NoError(t, err, string(out))
	results := make([][]outcome, len(scripts))
	t.Run("clients", func(t *testing.T) {
		for i, s := range scripts {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				results[i] = run(t, dir, simulator, s)
				judge(t, s, results[i])
			})
		}
		// A page with Meta's documented listener, unchanged, in a browser that is led here.
		t.Run("playwright", func(t *testing.T) {
			t.Parallel()
			chromium, err := exec.LookPath("chromium")
			if err != nil {
				t.Skip("no Chromium on this machine; install the package chromium")
			}
			s := script{"playwright", "playwright-core"}
			judge(t, s, run(t, dir, simulator, s, "CHROMIUM="+chromium))
		})
	})
	if t.Failed() {
		return
	}
	page := render(t, results)
	if *update {
		require.NoError(t, os.WriteFile(table, page, 0o644))
	}
	have, err := os.ReadFile(table)
	require.NoError(t, err)
	require.Equal(t, string(page), string(have), "go test ./internal/system/clients -update writes it")
}

// install installs the clients at their versions. Without a registry, the test is skipped, but for
// the gate.
func install(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob("*.mjs")
	require.NoError(t, err)
	for _, name := range append(files, "listener.html", "package.json") {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
		"--no-package-lock")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("npm cannot install the clients: %v\n%s", err, out)
	}
	require.NoError(t, err, string(out))
}

// begin starts a simulator and returns its ready line, and the file with the certificate of its CA.
func begin(t *testing.T, dir, simulator string) (ready, tls, ca string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), simulator, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0",
		"-tls", "127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && ready == "" {
		if strings.HasPrefix(lines.Text(), `{"event":"ready"`) {
			ready = lines.Text()
		}
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var v struct{ TLS, CA string }
	require.NoError(t, json.Unmarshal([]byte(ready), &v))
	resp, err := http.Get(v.CA)
	require.NoError(t, err)
	defer resp.Body.Close()
	pem, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	f, err := os.CreateTemp(dir, "ca*.pem")
	require.NoError(t, err)
	_, err = f.Write(pem)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return ready, v.TLS, f.Name()
}

// run runs a client's script against a simulator of its own.
func run(t *testing.T, dir, simulator string, s script, env ...string) []outcome {
	t.Helper()
	ready, tls, ca := begin(t, dir, simulator)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--import", "./lead.mjs", s.name+".mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SIMULATOR="+ready, "SIMULATOR_TLS="+tls, "NODE_EXTRA_CA_CERTS="+ca)
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s", out, &stderr)
	var list []outcome
	for line := range strings.Lines(string(out)) {
		if text, ok := strings.CutPrefix(line, "#"); ok {
			var o outcome
			require.NoError(t, json.Unmarshal([]byte(text), &o), text)
			list = append(list, o)
		}
	}
	require.NotEmpty(t, list, "the script did nothing")
	return list
}

// judge wants everything to pass but the known bugs, and those to fail.
func judge(t *testing.T, s script, list []outcome) {
	t.Helper()
	known := maps.Clone(bugs[s.module])
	for _, o := range list {
		name := o.Area + ": " + o.Name
		_, bug := known[name]
		delete(known, name)
		if !o.OK && !bug {
			t.Errorf("%s fails: %s", name, o.Error)
		}
		if o.OK && bug {
			t.Errorf("%s works now; it is no bug any more", name)
		}
	}
	for name := range known {
		t.Errorf("the script does not do %s", name)
	}
}

// areas are the columns of the table.
var areas = []string{"send", "media", "templates", "profile", "block", "QR", "account", "webhooks"}

// intro is what stands above the table.
const intro = `# Clients that work with the simulator

Published clients of npm, unchanged, against ` + "`coexistence/simulator`" + ` in every run of the gate: how many of the operations
that a client has pass, by area. Meta's names are led to the simulator, so that the clients call graph.facebook.com as
always ([how](simulator.md#metas-names)). The test ` + "`internal/system/clients`" + ` makes this page and holds it.

`

// render makes the page.
func render(t *testing.T, results [][]outcome) []byte {
	t.Helper()
	var pins struct{ Dependencies map[string]string }
	b, err := os.ReadFile("package.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &pins))
	require.Len(t, pins.Dependencies, len(scripts)+1, "the clients, and Playwright")
	var page bytes.Buffer
	page.WriteString(intro + "| client | " + strings.Join(areas, " | ") + " |\n|" +
		strings.Repeat(" --- |", len(areas)+1) + "\n")
	for i, s := range scripts {
		require.Contains(t, pins.Dependencies, s.module)
		cells := make([]string, len(areas))
		for j, area := range areas {
			cells[j] = cell(results[i], area)
		}
		fmt.Fprintf(&page, "| `%s` %s | %s |\n", s.module, pins.Dependencies[s.module], strings.Join(cells, " | "))
	}
	page.WriteString("\nWhat does not pass would not at Meta either:\n\n")
	for _, s := range scripts {
		for _, name := range slices.Sorted(maps.Keys(bugs[s.module])) {
			fmt.Fprintf(&page, "- `%s`, %s: %s.\n", s.module, name, bugs[s.module][name])
		}
	}
	return page.Bytes()
}

// cell counts what passes of an area.
func cell(list []outcome, area string) string {
	passed, all := 0, 0
	for _, o := range list {
		if o.Area != area {
			continue
		}
		all++
		if o.OK {
			passed++
		}
	}
	if all == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", passed, all)
}
