package house_test

import (
	"go/ast"
	"regexp"
	"testing"
)

// A method that calls Meta names its endpoint on a line of its comment, so that a reader finds it
// and a test can hold the list of endpoints against Meta's:
//
//	// graph:POST /{phone-number-id}/messages
//
// Words may follow, where one endpoint does several things.
func TestEndpointLinesAreWellFormed(t *testing.T) {
	t.Parallel()
	check(t, source.isCode, endpointLines)
}

var (
	endpointLike = regexp.MustCompile(`(?i)^//\s*graph:\s*[a-z]*\s*/|^//\s*graph:\s*(get|post|put|delete)\b`)
	endpointLine = regexp.MustCompile(`^// ?graph:(GET|POST|DELETE)` +
		` /(\{[a-z]+(-[a-z]+)*\}|[a-z0-9_.]+)(/(\{[a-z]+(-[a-z]+)*\}|[a-z0-9_.]+))*( [^/]+)?$`)
)

// endpointLines finds lines that mean to name an endpoint and are misspelled, or stand where no
// exported function is.
func endpointLines(s source) []string {
	atHome := map[*ast.Comment]bool{}
	for d := range s.funcs() {
		if d.Doc != nil && exportedFunc(d) {
			for _, c := range d.Doc.List {
				atHome[c] = true
			}
		}
	}
	var found []string
	for c := range s.comments() {
		switch {
		case !endpointLike.MatchString(c.Text):
		case !endpointLine.MatchString(c.Text):
			found = append(found, s.finding(c.Pos(), "write it as: // graph:POST /{phone-number-id}/messages"))
		case !atHome[c]:
			found = append(found, s.finding(c.Pos(), "an endpoint belongs to the comment of an exported function"))
		}
	}
	return found
}

func TestMisspelledEndpointsAreFound(t *testing.T) {
	t.Parallel()
	const spelled, homeless = "write it as", "belongs to the comment"
	doc := func(line string) string { return "package p\n\n// F does.\n//\n" + line + "\nfunc F() {}" }
	try(t, endpointLines, map[string]sample{
		"as gofmt has it":    {doc("// graph:POST /{phone-number-id}/messages"), ""},
		"without a space":    {doc("//graph:GET /debug_token"), ""},
		"words":              {doc("// graph:POST /{phone-number-id}/messages status=read"), ""},
		"prose":              {doc("// graph: the words that calls and webhooks share"), ""},
		"lower case":         {doc("//graph:post /{phone-number-id}/messages"), spelled},
		"no slash":           {doc("// graph:POST {phone-number-id}/messages"), spelled},
		"no method":          {doc("// graph:/{phone-number-id}/messages"), spelled},
		"space":              {doc("// graph: POST /{phone-number-id}/messages"), spelled},
		"trailing slash":     {doc("// graph:POST /{phone-number-id}/"), spelled},
		"snake case":         {doc("// graph:POST /{phone_number_id}/messages"), spelled},
		"unknown method":     {doc("// graph:FETCH /debug_token"), spelled},
		"on a type":          {"package p\n\n// graph:GET /me\ntype T int", homeless},
		"on a private thing": {"package p\n\n// graph:GET /me\nfunc f() {}", homeless},
	})
}
