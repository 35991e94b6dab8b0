package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axe is the script of axe-core, at the version of package.json, installed once for all tests.
// Without npm or a registry it is empty, and an error.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "axe")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	manifest, err := os.ReadFile("package.json")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o600); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
		"--no-package-lock")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out), err
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	return string(script), err
})

// needAxe skips a test where axe-core cannot be installed, but for the gate.
func needAxe(t *testing.T) string {
	t.Helper()
	script, err := axe()
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("npm cannot install axe-core: %v\n%s", err, script)
	}
	require.NoError(t, err, script)
	return script
}

// axeStyle is what the console says when axe-core styles what it measures, on a page whose policy
// forbids that. It finds the same with and without.
const axeStyle = "Applying inline style violates"

// violations runs rules of axe-core and yields what they find: the rule, what it asks for, and
// where. It looks into shadow roots. A page in a frame is judged where it stands by itself.
const violations = `axe.run(document, {resultTypes: ["violations"], iframes: false%s}).then(
	(r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ", " + n.target.flat().join(" ") + ": " + v.help +
		"\n    " + n.html.slice(0, 160) + "\n    " +
		[...n.any, ...n.all, ...n.none].map((c) => c.message).join("; "))).join("\n"))`

// Which rules of axe-core look at a page: all of them, good practice among them, or those about
// colors.
const (
	allRules   = ""
	colorRules = `, runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// accessible fails if the rules of axe-core find something on the page.
func (w *window) accessible(name, rules string) {
	w.t.Helper()
	script := needAxe(w.t)
	if evaluate[bool](w, `"axe" in window`) { // another look at the same page
		script = ""
	}
	found, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](
		script+"\n;"+fmt.Sprintf(violations, rules), chromedp.EvalAwaitPromise))
	require.NoError(w.t, err, name)
	require.Empty(w.t, found, name)
}
