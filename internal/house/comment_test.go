package house_test

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEverythingExportedIsDocumented(t *testing.T) {
	t.Parallel()
	check(t, source.isCode, undocumented)
}

func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	check(t, func(s source) bool { return s.published() }, undocumentedFields)
}

func TestLongFunctionsAreDocumented(t *testing.T) {
	t.Parallel()
	check(t, func(s source) bool { return s.isCode() }, longWithoutComment)
}

// connect-go, go-github and net/http have 26 to 31 lines of comment in a hundred. This is a bar for
// the whole: a package of tables needs few, one whose callers have to know much needs more.
func TestTheCodeIsCommented(t *testing.T) {
	t.Parallel()
	var of share
	for _, s := range sources(t) {
		if s.isCode() {
			of = of.plus(s.share())
		}
	}
	require.GreaterOrEqual(t, of.percent(), leastCommented, "%d of %d lines have a comment", of.comments, of.lines)
}

// undocumented finds exported declarations without a comment. Constants and variables may share the
// comment of their block, carry one at the end of the line, or leave it to their type. A method
// that lists what each implementation of a documented interface answers, in the file of that
// interface, needs no comment either.
func undocumented(s source) []string {
	var found []string
	report := func(id *ast.Ident) {
		found = append(found, s.finding(id.Pos(), "%s has no comment; say what its user cannot see", id.Name))
	}
	promised := interfaceMethods(s)
	for d := range s.funcs() {
		if exportedFunc(d) && empty(d.Doc) && (d.Recv == nil || !promised[d.Name.Name]) {
			report(d.Name)
		}
	}
	for d, spec := range s.types() {
		if spec.Name.IsExported() && empty(spec.Doc) && (d.Lparen.IsValid() || empty(d.Doc)) {
			report(spec.Name)
		}
	}
	enum := false // the constants of a type: its comment is theirs
	for d, spec := range s.values() {
		if typ, ok := spec.Type.(*ast.Ident); ok {
			enum = typ.IsExported()
		} else if len(spec.Values) > 0 { // else it repeats the one above, as with iota
			enum = false
		}
		if enum || !empty(spec.Doc) || !empty(spec.Comment) || !empty(d.Doc) {
			continue
		}
		for _, id := range spec.Names {
			if id.IsExported() {
				report(id)
			}
		}
	}
	return found
}

// interfaceMethods names the methods with a comment in the file's exported interfaces.
func interfaceMethods(s source) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
			if typ, ok := spec.Type.(*ast.InterfaceType); ok {
				for _, m := range typ.Methods.List {
					if len(m.Names) == 1 && !empty(m.Doc) {
						names[m.Names[0].Name] = true
					}
				}
			}
		}
		return true
	})
	return names
}

func empty(doc *ast.CommentGroup) bool { return doc == nil || doc.Text() == "" }

// undocumentedFields finds fields without a comment whose zero value a host has to know: those of a
// Config, times to wait, and functions that may be nil.
func undocumentedFields(s source) []string {
	var found []string
	for _, spec := range s.types() {
		typ, ok := spec.Type.(*ast.StructType)
		if !ok || !spec.Name.IsExported() {
			continue
		}
		for _, field := range typ.Fields.List {
			if !visible(field) || len(field.Names) == 0 || !empty(field.Doc) || !empty(field.Comment) {
				continue
			}
			_, function := field.Type.(*ast.FuncType)
			if function || typeName(field.Type) == "Duration" || strings.HasSuffix(spec.Name.Name, "Config") {
				found = append(found, s.finding(field.Pos(), "%s.%s has no comment; say what its zero value means",
					spec.Name.Name, field.Names[0].Name))
			}
		}
	}
	return found
}

// longFunction is how many lines a function may have that speaks for itself.
const longFunction = 25

// longWithoutComment finds longer ones that nothing is said about: why they are there, what they
// guarantee, what goes wrong. The main of a program has the comment of its package.
func longWithoutComment(s source) []string {
	var found []string
	for d := range s.funcs() {
		lines := s.line(d.End()) - s.line(d.Pos()) + 1
		program := s.ast.Name.Name == "main" && d.Name.Name == "main" && d.Recv == nil
		if lines > longFunction && empty(d.Doc) && !program {
			found = append(found, s.finding(d.Pos(),
				"%s has %d lines and no comment; say why it is there and what it guarantees", d.Name.Name, lines))
		}
	}
	return found
}

// leastCommented is how many percent of the lines have a comment at least.
const leastCommented = 20

// A share is how much of some code is commented.
type share struct{ comments, lines int }

func (a share) plus(b share) share { return share{a.comments + b.comments, a.lines + b.lines} }

func (a share) percent() int { return 100 * a.comments / max(1, a.lines) }

// share counts the lines of the file that are not blank, and those of them that are a comment or
// have one at their end.
func (s source) share() share {
	of := share{comments: len(s.commentLines())}
	for line := range strings.Lines(string(s.text)) {
		if strings.TrimSpace(line) != "" {
			of.lines++
		}
	}
	return of
}

func TestMissingCommentsAreFound(t *testing.T) {
	t.Parallel()
	const missing = "has no comment"
	const promise = "package p\n\n// I is.\ntype I interface {\n\t// F does.\n\tF()\n}\n\n"
	try(t, undocumented, map[string]sample{
		"function":         {`package p; func F() {}`, missing},
		"method":           {"package p\n\nfunc (T) F() {}", missing},
		"type":             {`package p; type T int`, missing},
		"type of a group":  {"package p\n\n// These are types.\ntype (\n\tT int\n)", missing},
		"constant":         {`package p; const C = 1`, missing},
		"only a directive": {"package p\n\n//go:noinline\nfunc F() {}", missing},
		"untyped":          {"package p\n\nconst (\n\tC T = 1\n\tD = 2\n)", missing},
		"another method":   {promise + "func (T) G() {}", missing},
		"enum":             {"package p\n\nconst (\n\tC T = iota\n\tD\n)", ""},
		"listed method":    {promise + "func (T) F() {}", ""},
		"documented":       {"package p\n\n// F does.\nfunc F() {}\n\n// T is.\ntype T int", ""},
		"method too":       {"package p\n\n// F does.\nfunc (T) F() {}", ""},
		"end of the line":  {"package p\n\nconst (\n\tC = 1 // one\n)", ""},
		"block":            {"package p\n\n// These are numbers.\nconst (\n\tC = 1\n\tD = 2\n)", ""},
		"unexported":       {`package p; func f() {}; type t int; func (t) F() {}; const c = 1`, ""},
	})
}

func TestMissingCommentsOfFieldsAreFound(t *testing.T) {
	t.Parallel()
	const missing = "has no comment; say what its zero value means"
	try(t, undocumentedFields, map[string]sample{
		"setting":          {`package p; type Config struct { Name string }`, "Config.Name " + missing},
		"other settings":   {`package p; type PageConfig struct { Name string }`, missing},
		"duration":         {`package p; type T struct { Wait time.Duration }`, missing},
		"function":         {`package p; type T struct { On func(int) }`, missing},
		"above":            {"package p; type Config struct {\n\t// Name is.\n\tName string\n}", ""},
		"behind":           {"package p; type Config struct {\n\tName string // of it\n}", ""},
		"embedded":         {`package p; type Config struct { Other }`, ""},
		"another field":    {`package p; type T struct { Name string }`, ""},
		"unexported field": {`package p; type Config struct { name string }`, ""},
		"unexported type":  {`package p; type config struct { Name string }`, ""},
	})
}

func TestLongFunctionsWithoutCommentAreFound(t *testing.T) {
	t.Parallel()
	const missing = "and no comment"
	body := func(lines int) string { return strings.Repeat("\t_ = 1\n", lines-2) + "}\n" }
	try(t, longWithoutComment, map[string]sample{
		"function":       {"package p\n\nfunc f() {\n" + body(longFunction+1), "f has 26 lines " + missing},
		"method":         {"package p\n\nfunc (t) f() {\n" + body(longFunction+1), missing},
		"main elsewhere": {"package p\n\nfunc main() {\n" + body(longFunction+1), missing},
		"of a program":   {"package main\n\nfunc f() {\n" + body(longFunction+1), missing},
		"main":           {"package main\n\nfunc main() {\n" + body(longFunction+1), ""},
		"short":          {"package p\n\nfunc f() {\n" + body(longFunction), ""},
		"commented":      {"package p\n\n// f does.\nfunc f() {\n" + body(longFunction+1), ""},
	})
}

func TestCommentsAreCounted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code string
		want share
	}{
		"none":      {"package p\n\nvar x int\n", share{0, 2}},
		"alone":     {"// Package p is.\npackage p\n", share{1, 2}},
		"behind":    {"package p // of samples\n", share{1, 1}},
		"block":     {"/*\nPackage p is.\n*/\npackage p\n", share{3, 4}},
		"paragraph": {"// Package p is.\n//\n// It has more.\npackage p\n", share{3, 4}},
		"a string":  {"package p\n\nvar x = `\n// no comment\n`\n", share{0, 4}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parse("sample/sample.go", []byte(tt.code))
			require.NoError(t, err)
			require.Equal(t, tt.want, s.share())
		})
	}
	require.Equal(t, 19, share{199, 1000}.percent(), "it is not rounded up")
}
