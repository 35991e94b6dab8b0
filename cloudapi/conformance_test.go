package cloudapi_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// An operation is a path and method of Meta's document, with our names for the places in the path.
type operation struct {
	method, path string // "POST", "/{phone-number-id}/messages"
	pointer      string // to the operation in the document
	members      []string
}

func (o operation) String() string { return o.method + " " + o.path }

// placeNames are Meta's names of places in paths, and ours.
var placeNames = strings.NewReplacer(
	"/{Version}", "", "{Phone-Number-ID}", "{phone-number-id}", "{WABA-ID}", "{waba-id}",
	"{WhatsApp-Business-Account-ID}", "{waba-id}",
	"{Business-ID}", "{business-id}", "{Application-ID}", "{app-id}", "{group_id}", "{group-id}", "{Media-ID}",
	"{media-id}",
	"{Media-URL}", "{media-url}", "{Message-History-ID}", "{message-history-id}", "{Flow-ID}", "{flow-id}",
	"{TEMPLATE_ID}", "{template-id}",
	"{QR-Code-ID}", "{qr-code-id}",
)

// openAPI reads Meta's document. It is a checklist and not a truth.
var openAPI = sync.OnceValues(func() (map[string]any, error) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("COEXISTENCE_OPENAPI"), "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("want one document, found %d", len(files))
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	return doc, yaml.Unmarshal(text, &doc)
})

func document(t *testing.T) map[string]any {
	t.Helper()
	if os.Getenv("COEXISTENCE_OPENAPI") == "" {
		t.Skip("COEXISTENCE_OPENAPI does not name the folder of Meta's OpenAPI document")
	}
	doc, err := openAPI()
	require.NoError(t, err)
	return doc
}

// at follows keys through objects, and nil is all that is not there.
func at(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// resolve follows references.
func resolve(doc map[string]any, v any) any {
	for {
		ref, ok := at(v, "$ref").(string)
		if !ok {
			return v
		}
		v = at(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
}

// membersOf collects the members that a schema documents, with their paths.
func membersOf(doc map[string]any, schema any, path string, depth int, found map[string]bool) {
	schema = resolve(doc, schema)
	if depth > 12 {
		return
	}
	for _, mix := range []string{"allOf", "oneOf", "anyOf"} {
		list, _ := at(schema, mix).([]any)
		for _, s := range list {
			membersOf(doc, s, path, depth+1, found)
		}
	}
	if items := at(schema, "items"); items != nil {
		membersOf(doc, items, path, depth+1, found)
	}
	properties, _ := at(schema, "properties").(map[string]any)
	for name, s := range properties {
		p := strings.TrimPrefix(path+"."+name, ".")
		found[p] = true
		membersOf(doc, s, p, depth+1, found)
	}
}

func operations(t *testing.T) []operation {
	t.Helper()
	doc := document(t)
	var all []operation
	paths := doc["paths"].(map[string]any)
	for path, item := range paths {
		for _, method := range []string{"get", "post", "delete", "put", "patch"} {
			op := at(item, method)
			if op == nil {
				continue
			}
			o := operation{method: strings.ToUpper(method), path: placeNames.Replace(path)}
			o.pointer = "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path) + "/" + method
			found := map[string]bool{}
			for _, list := range []any{at(item, "parameters"), at(op, "parameters")} {
				params, _ := list.([]any)
				for _, p := range params {
					if p = resolve(doc, p); at(p, "in") == "query" {
						found["?"+at(p, "name").(string)] = true
					}
				}
			}
			content, _ := at(resolve(doc, at(op, "requestBody")), "content").(map[string]any)
			for _, c := range content {
				membersOf(doc, at(c, "schema"), "", 0, found)
			}
			o.members = slices.Sorted(maps.Keys(found))
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// Every path and method of Meta's document has a method here, or a reason why not.
func TestEveryOperationIsCoveredOrLeftOutWithAReason(t *testing.T) {
	t.Parallel()
	covered := map[string][]string{}
	for _, d := range directives(t) {
		covered[d.verb+" "+d.path] = append(covered[d.verb+" "+d.path], d.method)
	}
	seen := map[string]bool{}
	var typed, left int
	for _, o := range operations(t) {
		key := o.String()
		seen[key] = true
		reason, isLeft := leftOut[key]
		switch {
		case covered[key] != nil && isLeft:
			t.Errorf("%s has a method (%s) and a reason to be left out", key, covered[key][0])
		case covered[key] != nil:
			typed++
			t.Logf("%-6s %-62s %s", o.method, o.path, strings.Join(covered[key], ", "))
		case isLeft:
			left++
			t.Logf("%-6s %-62s left out: %s", o.method, o.path, reason)
		default:
			t.Errorf("%s has neither a method nor a reason in leftOut", key)
		}
	}
	for key := range leftOut {
		if !seen[key] {
			t.Errorf("%s is left out, and not in Meta's document", key)
		}
	}
	t.Logf("%d operations: %d with typed methods, %d left out with a reason", typed+left, typed, left)
	require.Equal(t, len(seen), typed+left)
}

// filesOf are the sources in which the types of a service's requests are.
var filesOf = map[string][]string{
	"Messages": {
		"messages", "message.go", "content_", "action", "template_action", "template_component",
		"template_parameter", "template_special", "graph/contact_card",
	},
	"Media":        {"media", "payload"},
	"Templates":    {"template"},
	"Phones":       {"phones"},
	"Profiles":     {"profiles"},
	"WABAs":        {"waba"},
	"Businesses":   {"businesses"},
	"Registration": {"registration"},
	"Credit":       {"credit"},
	"Groups":       {"groups"},
	"Flows":        {"flow"},
	"Calls":        {"calls", "graph/call"},
	"Settings":     {"settings", "graph/call"},
	"Block":        {"block"},
	"QR":           {"qr"},
	"Automation":   {"automation"},
	"Apps":         {"apps", "businesses"},
}

// wireNames collects the names that the sources of a service write to the wire: json and url tags,
// and the keys of forms.
func wireNames(t *testing.T, service string) map[string]bool {
	t.Helper()
	require.Contains(t, filesOf, service, "say in filesOf where the requests of this service are")
	names := map[string]bool{"fields": true, "limit": true, "after": true, "messaging_product": true}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	shared, err := filepath.Glob("graph/*.go")
	require.NoError(t, err)
	for _, file := range append(files, shared...) {
		ours := slices.ContainsFunc(filesOf[service], func(prefix string) bool {
			return strings.HasPrefix(file, prefix)
		})
		if !ours || strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				if n.Tag == nil {
					return true
				}
				tag, _ := strconv.Unquote(n.Tag.Value)
				for _, key := range []string{"json", "url"} {
					name, _, _ := strings.Cut(reflect.StructTag(tag).Get(key), ",")
					names[name] = true
				}
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && wordRe.MatchString(text) {
					names[text] = true
				}
			}
			return true
		})
	}
	return names
}

var wordRe = regexp.MustCompile(`^[a-z][a-z0-9_]+$`)

// Every member that Meta documents for a request is in our types, or has a reason why not.
func TestEveryRequestMemberIsInOurTypesOrHasAReason(t *testing.T) {
	t.Parallel()
	service := map[string]string{}
	for _, d := range directives(t) {
		service[d.verb+" "+d.path], _, _ = strings.Cut(d.method, ".")
	}
	used := map[string]bool{}
	total, missing := 0, 0
	for _, o := range operations(t) {
		name := service[o.String()]
		if name == "" {
			continue
		}
		if len(o.members) == 0 {
			continue
		}
		ours := wireNames(t, name)
		var reasons []string
		for _, member := range o.members {
			total++
			last := member[strings.LastIndexAny(member, ".?")+1:]
			if ours[last] {
				continue
			}
			key := o.String() + " " + member
			reason := memberReasons[key]
			if reason == "" {
				key = last
				reason = memberReasons[last]
			}
			used[key] = true
			if reason == "" {
				t.Errorf(
					"%s documents %s, which %s does not have; type it, or give a reason in memberReasons", o,
					member, name,
				)
				continue
			}
			missing++
			reasons = append(reasons, member+" ("+reason+")")
		}
		t.Logf("%-6s %-55s %3d members, without: %s", o.method, o.path, len(o.members), strings.Join(reasons, "; "))
	}
	for key := range memberReasons {
		if !used[key] {
			t.Errorf("memberReasons has %q, which no request needs", key)
		}
	}
	t.Logf("%d documented members, %d of them left out with a reason", total, missing)
}

// satisfiable copies a schema without what makes parts of Meta's document impossible to satisfy:
// allOf over alternatives of which each forbids the members of the others, and alternatives that
// overlap although only one may hold.
func satisfiable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			switch key {
			case "additionalProperties":
				continue
			case "oneOf":
				key = "anyOf"
			}
			m[key] = satisfiable(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = satisfiable(v[i])
		}
		return list
	}
	return v
}

// Where a schema of Meta's document compiles, what we send is valid by it, or the document is known
// to be wrong there.
func TestRequestsAreValidByMetasSchemas(t *testing.T) {
	t.Parallel()
	doc := document(t)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("https://meta.example/openapi", satisfiable(doc)))
	bodies := recordBodies(t)
	used := map[string]bool{}
	checked, wrong := 0, 0
	for _, o := range operations(t) {
		if len(bodies[o.String()]) == 0 {
			continue
		}
		schema, err := compiler.Compile(
			"https://meta.example/openapi" + o.pointer + "/requestBody/content/application~1json/schema",
		)
		if err != nil {
			t.Logf("%-6s %-55s does not compile: %.120v", o.method, o.path, err)
			continue
		}
		valid := 0
		for _, sample := range bodies[o.String()] {
			err := validate(t, schema, sample.body)
			if err == nil {
				valid++
				continue
			}
			wrong++
			used[sample.name] = true
			if schemaReasons[sample.name] == "" {
				t.Errorf("%s: Meta's schema refuses %s: %v", sample.name, sample.body, err)
			}
		}
		checked += valid
		t.Logf("%-6s %-55s %d of %d bodies are valid", o.method, o.path, valid, len(bodies[o.String()]))
	}
	for key := range schemaReasons {
		if !used[key] {
			t.Errorf("schemaReasons has %q, which no request needs", key)
		}
	}
	t.Logf("%d bodies are valid by Meta's schemas, %d are not because the document is wrong there", checked, wrong)
	require.Positive(t, checked)
}

// A sample is a body that a call made.
type sample struct{ name, body string }

// recordBodies makes every call, and a send of every content, and returns the JSON bodies by
// operation.
func recordBodies(t *testing.T) map[string][]sample {
	t.Helper()
	bodies := map[string][]sample{}
	record := func(verb, path, name string, call callFunc, answer string) {
		srv := serve(t, reply(200, answer))
		_ = call(t.Context(), srv.client(t))
		for _, r := range srv.seen() {
			if r.header.Get("Content-Type") == "application/json" {
				bodies[verb+" "+path] = append(bodies[verb+" "+path], sample{name, r.body})
			}
		}
	}
	for _, d := range directives(t) {
		if call := calls()[d.method]; call != nil {
			record(d.verb, d.path, d.method, call, `{}`)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(contents())) {
		record("POST", "/{phone-number-id}/messages", name, func(ctx context.Context, c *cloudapi.Client) error {
			m := text()
			m.Content = contents()[name].content
			if m.Content.MessageType() == "pin" {
				m.To = cloudapi.ToGroup("Y2FwaQ")
			}
			return only(c.Messages.Send(ctx, phoneID, m))
		}, sentBody)
	}
	return bodies
}

// validate checks a body by a schema. The document requires the only value of language.policy,
// which Meta's pages call optional, so it is filled in.
func validate(t *testing.T, schema *jsonschema.Schema, body string) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	require.NoError(t, err)
	if language, ok := at(v, "template", "language").(map[string]any); ok {
		language["policy"] = "deterministic"
	}
	return schema.Validate(v)
}
