package house_test

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Identifiers are the trade's words: a reader who knows queues and databases knows them already.
func TestNamesAreTheTradesWords(t *testing.T) {
	t.Parallel()
	check(t, func(source) bool { return true }, privateWords)
}

// tradesWords are words that only this repository used, and what the trade calls the thing.
var tradesWords = map[string]string{
	"alarm":     "notify",
	"clerk":     "worker",
	"clerks":    "workers",
	"desk":      "settler",
	"ears":      "listener",
	"exhume":    "replay",
	"farewell":  "shutdown grace",
	"keeper":    "maintenance",
	"loose":     "unknown, or a flexible scalar",
	"mortal":    "crashing store",
	"patience":  "timeout",
	"pump":      "claimer",
	"saying":    "fact",
	"sayings":   "facts",
	"stray":     "orphan",
	"strays":    "orphans",
	"turnstile": "wait queue",
}

// privateWords finds these as words of what the file declares, of its package and of its own name.
func privateWords(s source) []string {
	var found []string
	judge := func(pos token.Pos, name string) {
		for _, word := range words(name) {
			word = strings.ToLower(word)
			if trades, private := tradesWords[word]; private {
				found = append(found, s.finding(pos, "%s: say %s for %s", name, trades, word))
			}
		}
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(path.Base(s.path), ".go"), "_") {
		judge(s.ast.Package, part)
	}
	judge(s.ast.Package, s.ast.Name.Name)
	ast.Inspect(s.ast, func(n ast.Node) bool {
		for _, id := range declared(n) {
			judge(id.Pos(), id.Name)
		}
		return true
	})
	return found
}

// declared returns the names that a node declares. Only declarations are judged: a name that the
// standard library or a driver has chosen cannot be changed here.
func declared(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Key, n.Value)
		}
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Lhs...)
		}
	}
	return nil
}

func identifiers(exprs ...ast.Expr) []*ast.Ident {
	var ids []*ast.Ident
	for _, expr := range exprs {
		if id, ok := expr.(*ast.Ident); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestPrivateWordsAreFound(t *testing.T) {
	t.Parallel()
	const settler = "say settler for desk"
	try(t, privateWords, map[string]sample{
		"package":        {`package turnstile`, "say wait queue for turnstile"},
		"type":           {`package p; type desk struct{}`, settler},
		"part of a name": {`package p; func newDesk() {}`, settler},
		"method":         {`package p; func (t) deskRun() {}`, settler},
		"variable":       {`package p; var x, desk int`, settler},
		"field":          {`package p; type t struct{ desk int }`, settler},
		"parameter":      {`package p; func f(desk int) {}`, settler},
		"receiver":       {`package p; func (desk t) f() {}`, settler},
		"local":          {`package p; func f() { desk := 1; _ = desk }`, settler},
		"loop":           {`package p; func f() { for _, desk := range x { _ = desk } }`, settler},
		"longer word":    {`package p; type desktop struct{}`, ""},
		"used alone":     {`package p; var x = other.Desk`, ""},
		"comment":        {"package p\n\n// It is no desk.\nvar x int", ""},
	})
}

func TestPrivateFileNamesAreFound(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"inbox/desk.go": 1, "inbox/desk_test.go": 1, "inbox/settler.go": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parse(name, []byte("package inbox"))
			require.NoError(t, err)
			require.Len(t, privateWords(s), want)
		})
	}
}
