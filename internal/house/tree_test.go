package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the top of the repository, seen from the folder that the tests of this package run in.
const root = "../.."

// A source is one Go file of the repository.
type source struct {
	path string // from the top, with slashes
	text []byte
	fset *token.FileSet
	ast  *ast.File
}

func parse(name string, text []byte) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{name, text, fset, file}, err
}

func (s source) dir() string    { return path.Dir(s.path) }
func (s source) isCode() bool   { return !s.isTest() }
func (s source) isTest() bool   { return strings.HasSuffix(s.path, "_test.go") }
func (s source) internal() bool { return strings.Contains("/"+s.path, "/internal/") }

// published says whether hosts can import what the file exports.
func (s source) published() bool {
	return !s.isTest() && !s.internal() && s.ast.Name.Name != "main" && !strings.HasPrefix(s.path, "examples/")
}

func (s source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// finding words what is wrong at pos.
func (s source) finding(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: ", s.path, s.line(pos)) + fmt.Sprintf(format, args...)
}

// funcs ranges over the functions and methods that the file declares.
func (s source) funcs() iter.Seq[*ast.FuncDecl] {
	return func(yield func(*ast.FuncDecl) bool) {
		for _, decl := range s.ast.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && !yield(d) {
				return
			}
		}
	}
}

// types ranges over the types that the file declares at the top level, each with its declaration,
// which it may share with others.
func (s source) types() iter.Seq2[*ast.GenDecl, *ast.TypeSpec] { return specs[*ast.TypeSpec](s) }

// values ranges over the constants and variables of the top level in the same way.
func (s source) values() iter.Seq2[*ast.GenDecl, *ast.ValueSpec] { return specs[*ast.ValueSpec](s) }

func specs[S ast.Spec](s source) iter.Seq2[*ast.GenDecl, S] {
	return func(yield func(*ast.GenDecl, S) bool) {
		for _, decl := range s.ast.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				if spec, ok := spec.(S); ok && !yield(d, spec) {
					return
				}
			}
		}
	}
}

// comments ranges over the comments of the file, line by line as the parser has them.
func (s source) comments() iter.Seq[*ast.Comment] {
	return func(yield func(*ast.Comment) bool) {
		for _, group := range s.ast.Comments {
			for _, c := range group.List {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// walk visits every file that belongs to the repository's code. Folders that the go command ignores
// are left out.
func walk(visit func(name string, text func() ([]byte, error)) error) error {
	top := os.DirFS(root)
	return fs.WalkDir(top, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		return visit(name, func() ([]byte, error) { return fs.ReadFile(top, name) })
	})
}

// loadSources parses every Go file of the repository, once.
var loadSources = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := walk(func(name string, text func() ([]byte, error)) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		b, err := text()
		if err != nil {
			return err
		}
		s, err := parse(name, b)
		all = append(all, s)
		return err
	})
	return all, err
})

func sources(t *testing.T) []source {
	t.Helper()
	all, err := loadSources()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// check fails the test with everything that rule finds in the files of the repository that it
// applies to.
func check(t *testing.T, applies func(source) bool, rule func(source) []string) {
	t.Helper()
	var found []string
	for _, s := range sources(t) {
		if applies(s) {
			found = append(found, rule(s)...)
		}
	}
	if len(found) > 0 { // require would cut a long list
		t.Errorf("%d findings\n%s", len(found), strings.Join(found, "\n"))
	}
}

// A sample is a piece of Go on which a rule must find something, or nothing if want is empty. Rules
// are tried on samples as well, so that one which went blind is noticed.
type sample struct {
	code string
	want string // part of the only finding
}

func try(t *testing.T, rule func(source) []string, samples map[string]sample) {
	t.Helper()
	for name, tt := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parse("sample/sample.go", []byte(tt.code))
			require.NoError(t, err)
			found := rule(s)
			if tt.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Contains(t, found[0], tt.want)
		})
	}
}

// abs is for tools that want a folder to start in.
func abs(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(root)
	require.NoError(t, err)
	return dir
}
