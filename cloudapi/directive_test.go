package cloudapi_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

// A directive is the line of a method's comment that names its endpoint.
type directive struct {
	method string // "Phones.Get"
	verb   string
	path   string
	line   string // as written, with what follows the path

}

// composed are methods that make several calls, or one to somewhere else than the Graph API. They
// have tests of their own.
var composed = map[string]bool{"Uploads.Upload": true, "Media.Download": true, "WABAs.Subscribe": true}

var directiveRe = regexp.MustCompile(`^graph:(GET|POST|DELETE) (/\S+)( [a-z_=]+)*$`)

// directives collects them from the sources, along with methods that have none.
func directives(t *testing.T) []directive {
	t.Helper()
	var all []directive
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		set := gotoken.NewFileSet()
		tree, err := parser.ParseFile(set, file.Name(), src, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range tree.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() || fn.Doc == nil {
				continue
			}
			star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
			if !ok || !strings.HasSuffix(star.X.(*ast.Ident).Name, "Service") {
				continue
			}
			d := directive{
				method: strings.TrimSuffix(star.X.(*ast.Ident).Name, "Service") + "." + fn.Name.Name,
			}
			for _, c := range fn.Doc.List {
				if line := strings.TrimLeft(c.Text, "/ "); strings.HasPrefix(line, "graph:") {
					require.Empty(t, d.line, "%s names two endpoints", d.method)
					m := directiveRe.FindStringSubmatch(line)
					require.NotNil(t, m, "%s: %q is not a directive", d.method, line)
					d.verb, d.path, d.line = m[1], m[2], line
				}
			}
			all = append(all, d)
		}
	}
	return all
}

func TestEveryServiceMethodNamesOneEndpointOfItsOwn(t *testing.T) {
	t.Parallel()
	all := directives(t)
	require.Greater(t, len(all), 10, "the sources were not found")
	owner := map[string]string{}
	for _, d := range all {
		if composed[d.method] {
			continue
		}
		require.NotEmpty(t, d.line, "%s names no endpoint", d.method)
		require.Empty(t, owner[d.line], "%s and %s name the same endpoint", owner[d.line], d.method)
		owner[d.line] = d.method
	}
}

// What the comment says is what the method does: every call is made, and the server looks at the
// request.
func TestMethodsCallTheEndpointTheyName(t *testing.T) {
	t.Parallel()
	places := strings.NewReplacer("{phone-number-id}", string(phoneID), "{waba-id}", string(wabaID),
		"{business-id}", string(businessID), "{app-id}", string(appID), "{message-history-id}", string(historyID),
		"{media-id}", string(mediaID), "{upload-id}", string(uploadID), "{group-id}", string(groupID),
		"{template-id}", string(templateID),
		"{template-group-id}", string(templateGroupID),
		"{flow-id}", string(flowID), "{credit-line-id}", string(creditID), "{allocation-id}", string(allocID),
		"{qr-code-id}", qrCode,
		"{node-id}", string(phoneID))
	for _, d := range directives(t) {
		if composed[d.method] {
			continue
		}
		t.Run(d.method, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(400, graphError("100", "")))
			err := calls()[d.method](t.Context(), srv.client(t))
			e := asError(t, err)
			require.Equal(t, d.verb, e.Method)
			require.Equal(t, d.path, e.PathTemplate)
			got := srv.seen()
			require.Len(t, got, 1)
			path, _, _ := strings.Cut(got[0].target, "?")
			require.Equal(t, d.verb, got[0].method)
			require.Equal(t, "/v25.0"+places.Replace(d.path), path)
		})
	}
}

// A host can try every call of the package against the fake.
func TestTheFakeHasEveryEndpoint(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	for _, d := range directives(t) {
		if composed[d.method] {
			continue
		}
		path := strings.ReplaceAll(regexp.MustCompile(`\{[a-z-]+\}`).ReplaceAllString(d.path, "1"), "/message_qrdls/1",
			"/message_qrdls/4O4YGZEG3RIVE1")
		req, err := http.NewRequestWithContext(t.Context(), d.verb, srv.URL+"/v25.0"+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+srv.SystemToken().Reveal())
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		all := srv.Requests()
		require.NotEqual(t, "unknown", all[len(all)-1].Path, "the fake does not know %s, which %s calls", d.line,
			d.method)
	}
}
