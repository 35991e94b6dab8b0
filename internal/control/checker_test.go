package control_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// A checker is a transport that validates every request and response against the served OpenAPI
// document: path, method, query, both bodies and status. An invalid request must be answered with
// 400, a valid one with a documented response.
type checker struct {
	doc     document
	schemas *jsonschema.Compiler

	mu   sync.Mutex
	seen map[string]bool // "METHOD /path STATUS"
}

// A document is the part of an OpenAPI document that the checker needs.
type document struct {
	Paths map[string]map[string]yaml.Node `yaml:"paths"`
}

// An operation is a documented call.
type operation struct {
	ID         string `yaml:"operationId"`
	Parameters []struct {
		Ref string `yaml:"$ref"`
	} `yaml:"parameters"`
	RequestBody *media            `yaml:"requestBody"`
	Responses   map[string]answer `yaml:"responses"`
}

type answer struct {
	Ref   string `yaml:"$ref"`
	media `yaml:",inline"`
}

type media struct {
	Content map[string]struct {
		Schema struct {
			Ref string `yaml:"$ref"`
		} `yaml:"schema"`
	} `yaml:"content"`
}

// newChecker fetches the served document.
func newChecker(t *testing.T, url string) *checker {
	t.Helper()
	resp, err := http.Get(url + "/control/v1/openapi.yaml")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	c := &checker{seen: map[string]bool{}, schemas: jsonschema.NewCompiler()}
	require.NoError(t, yaml.Unmarshal(text, &c.doc))
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal(text, &tree))
	asJSON, err := json.Marshal(tree)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	require.NoError(t, err)
	require.NoError(t, c.schemas.AddResource("openapi.json", value))
	c.schemas.AssertFormat()
	return c
}

// operations calls fn with every operation of the document.
func (c *checker) operations(fn func(method, path string, op operation)) error {
	for path, methods := range c.doc.Paths {
		for method, node := range methods {
			if method == "parameters" {
				continue
			}
			var op operation
			if err := node.Decode(&op); err != nil {
				return err
			}
			fn(strings.ToUpper(method), path, op)
		}
	}
	return nil
}

// find returns the operation of a request: the matching path with the fewest parameters.
func (c *checker) find(method, path string) (op operation, template string, found bool) {
	best := 100
	err := c.operations(func(m, p string, o operation) {
		want, have := strings.Split(p, "/"), strings.Split(strings.TrimPrefix(path, "/control/v1"), "/")
		if m != method || len(want) != len(have) {
			return
		}
		params := 0
		for i := range want {
			if strings.HasPrefix(want[i], "{") && have[i] != "" {
				params++
			} else if want[i] != have[i] {
				return
			}
		}
		if params < best {
			best, op, template, found = params, o, p, true
		}
	})
	return op, template, found && err == nil
}

// judge validates a body against a schema of the document.
func (c *checker) judge(ref string, body []byte) error {
	c.mu.Lock() // a compiler is not safe for concurrent use
	schema, err := c.schemas.Compile("openapi.json" + ref)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// RoundTrip sends a request, and validates it and its response.
func (c *checker) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	op, template, found := c.find(r.Method, r.URL.Path)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err := c.keep(r, sent, resp, body); err != nil {
		return nil, err
	}
	if !found {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
			return nil, fmt.Errorf("%s %s is unknown and answered with %d", r.Method, r.URL.Path, resp.StatusCode)
		}
		return resp, c.judge("#/components/schemas/Error", body)
	}
	name := fmt.Sprintf("%s %s %d", r.Method, template, resp.StatusCode)
	if op.RequestBody != nil && len(sent) > 0 {
		ref := op.RequestBody.Content["application/json"].Schema.Ref
		if err := c.judge(ref, sent); err != nil && resp.StatusCode != http.StatusBadRequest &&
			resp.StatusCode != http.StatusNotFound {
			return nil, fmt.Errorf("%s: the request breaks %s and is not refused: %w", name, ref, err)
		}
	} else if op.RequestBody == nil && len(sent) > 0 {
		return nil, fmt.Errorf("%s: the document knows no body", name)
	}
	want, ok := op.Responses[fmt.Sprint(resp.StatusCode)]
	if !ok {
		return nil, fmt.Errorf("%s: the document does not know the status: %s", name, body)
	}
	c.mu.Lock()
	c.seen[name] = true
	c.mu.Unlock()
	return resp, c.judgeAnswer(name, want, resp, body)
}

// exchangesFile is the file to which requests and responses are written, as lines of JSON, if it is
// set: the tests of internal/system/openapi validate them with a third-party validator.
const exchangesFile = "COEXISTENCE_EXCHANGES"

// keeping guards exchangesFile.
var keeping sync.Mutex

// keep records a request and its response.
func (*checker) keep(r *http.Request, sent []byte, resp *http.Response, body []byte) error {
	name := os.Getenv(exchangesFile)
	if name == "" {
		return nil
	}
	line, err := json.Marshal(struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		Request     string `json:"request"`
		Status      int    `json:"status"`
		ContentType string `json:"content_type"`
		Answer      string `json:"answer"`
	}{r.Method, r.URL.RequestURI(), string(sent), resp.StatusCode, resp.Header.Get("Content-Type"), string(body)})
	if err != nil {
		return err
	}
	keeping.Lock()
	defer keeping.Unlock()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// judgeAnswer validates a response against the documented one of its status.
func (c *checker) judgeAnswer(name string, want answer, resp *http.Response, body []byte) error {
	if want.Ref != "" {
		return c.judge("#/components/schemas/Error", body)
	}
	if len(want.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("%s: the answer has a body: %s", name, body)
		}
		return nil
	}
	for kind, m := range want.Content {
		if kind == "*/*" {
			return nil // a file
		}
		if got := resp.Header.Get("Content-Type"); got != kind {
			return fmt.Errorf("%s: Content-Type %s, not %s", name, got, kind)
		}
		if m.Schema.Ref == "" {
			return nil // text
		}
		if err := c.judge(m.Schema.Ref, body); err != nil {
			return fmt.Errorf("%s: %w\n%s", name, err, body)
		}
	}
	return nil
}

// unseen lists the operations of the document that were never called with success.
func (c *checker) unseen(t *testing.T) []string {
	t.Helper()
	var list []string
	require.NoError(t, c.operations(func(method, path string, op operation) {
		for status := range op.Responses {
			name := method + " " + path + " " + status
			if status < "300" && !c.seen[name] {
				list = append(list, name)
			}
		}
	}))
	slices.Sort(list)
	return list
}
