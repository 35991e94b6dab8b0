package openapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
)

const control = "github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"

// An exchange is a request and its answer, as the tests of package control write them down.
type exchange struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	Request     string `json:"request"`
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Answer      string `json:"answer"`
}

func TestEveryRequestAndAnswerFitsTheDocument(t *testing.T) {
	t.Parallel()
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.PlainBodyDecoder) // the document is a text
	openapi3filter.RegisterBodyDecoder("image/jpeg", openapi3filter.FileBodyDecoder)
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(filepath.Join("..", "..", "control", "openapi.yaml"))
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)

	file := filepath.Join(t.TempDir(), "exchanges")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", control)
	cmd.Env = append(os.Environ(), "COEXISTENCE_EXCHANGES="+file)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	seen := map[string]bool{}
	for line := range bytes.Lines(b) {
		var e exchange
		require.NoError(t, json.Unmarshal(line, &e))
		judge(t, router, e, seen)
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			name := method + " " + path
			require.True(t, seen[name] || name == "GET /webhooks/stream", "no test makes the call %s", name)
		}
	}
}

// refusals are the statuses of a request that may break the document.
var refusals = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed}

// judge judges one exchange. A request that breaks the document must have been refused.
func judge(t *testing.T, router routers.Router, e exchange, seen map[string]bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), e.Method, e.URL, strings.NewReader(e.Request))
	require.NoError(t, err)
	if e.Request != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	route, params, err := router.FindRoute(req)
	if err != nil {
		require.Contains(t, refusals, e.Status, "%s %s is not in the document", e.Method, e.URL)
		return
	}
	seen[e.Method+" "+route.Path] = true
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route, Options: &openapi3filter.Options{MultiError: true},
	}
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
		require.True(t, slices.Contains(refusals, e.Status), "%s %s %s is not refused: %v", e.Method, e.URL, e.Request,
			err)
	}
	header := http.Header{}
	if e.ContentType != "" {
		header.Set("Content-Type", e.ContentType)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: e.Status, Header: header,
		Body:    io.NopCloser(strings.NewReader(e.Answer)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	require.NoError(t, err, "%s %s answered %d: %s", e.Method, e.URL, e.Status, e.Answer)
}
