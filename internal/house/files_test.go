package house_test

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file about one noun may be as long as that noun needs, within reason. A file about several has
// room for less.
const (
	longest        = 800 // lines of code
	longestOfNouns = 400 // lines of code of a file that declares several types with methods
)

func TestFilesStayShort(t *testing.T) {
	t.Parallel()
	check(t, func(s source) bool { return !s.isTest() && !strings.HasSuffix(s.path, "_table.go") }, tooLong)
}

func TestFilesAndPackagesHaveRealNames(t *testing.T) {
	t.Parallel()
	check(t, func(source) bool { return true }, drawer)
}

func TestNothingIsPutOff(t *testing.T) {
	t.Parallel()
	check(t, func(source) bool { return true }, putOff)
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	packages := map[string][]source{}
	for _, s := range sources(t) {
		if !s.isTest() {
			packages[s.dir()] = append(packages[s.dir()], s)
		}
	}
	var found []string
	for _, files := range packages {
		found = append(found, unexplained(files)...)
	}
	slices.Sort(found)
	require.Empty(t, strings.Join(found, "\n"))
}

// The repository has one folder for each thing it does. A new one is a decision for the whole
// house.
func TestTopLevelFolders(t *testing.T) {
	t.Parallel()
	folders := []string{"cloudapi", "coexistence", "examples", "internal", "signup", "webhook"}
	for _, s := range sources(t) {
		top, _, nested := strings.Cut(s.path, "/")
		require.True(t, nested, "%s lies at the top; packages live in the folders %v", s.path, folders)
		require.Contains(t, folders, top, "%s lies outside the house", s.path)
	}
}

// The smallest programs are what a newcomer judges the whole by. They were counted when they were
// written, and stay as small.
func TestTheSmallestProgramsStaySmall(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, function int }{ // lines of code
		"examples/receive/main.go":              {24, 15},
		"examples/send/main.go":                 {22, 14},
		"examples/connect/main.go":              {34, 23},
		"examples/follow/main.go":               {45, 30},
		"examples/quickstart/simulator_test.go": {52, 36}, // six of them only look at an error
	}
	for _, s := range sources(t) {
		most, small := tests[s.path]
		if !small {
			continue
		}
		delete(tests, s.path)
		require.LessOrEqual(t, s.codeLines(), most.file, s.path)
		for d := range s.funcs() {
			own := source{text: s.text[s.fset.Position(d.Pos()).Offset:s.fset.Position(d.End()).Offset]}
			require.LessOrEqual(t, own.codeLines(), most.function, "%s of %s", d.Name.Name, s.path)
		}
	}
	require.Empty(t, tests, "a program is gone")
}

// tooLong counts lines of code: not comments, not blocks of constants, which are tables, and not
// generated files.
func tooLong(s source) []string {
	if ast.IsGenerated(s.ast) {
		return nil
	}
	lines := s.codeLines()
	for _, decl := range s.ast.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
			lines -= s.line(d.End()) - s.line(d.Pos()) + 1
		}
	}
	switch nouns := s.nouns(); {
	case lines > longest:
		return []string{s.finding(s.ast.Package,
			"the file has %d lines of code; nobody reads that from top to bottom", lines)}
	case lines > longestOfNouns && len(nouns) > 1:
		return []string{s.finding(s.ast.Package, "the file has %d lines of code about %s; give each a file of its own",
			lines, strings.Join(nouns, ", "))}
	}
	return nil
}

// codeLines counts the lines of the file that hold more than a comment.
func (s source) codeLines() int {
	lines := 0
	for line := range strings.Lines(string(s.text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			lines++
		}
	}
	return lines
}

// nouns lists the types of the file that have methods in it.
func (s source) nouns() []string {
	var names []string
	for _, decl := range s.ast.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if !ok || d.Recv == nil {
			continue
		}
		if name := receiver(d); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

var drawers = []string{"common", "helper", "helpers", "misc", "model", "models", "shared", "types", "util", "utils"}

// drawer finds names that say nothing, under which anything could be put.
func drawer(s source) []string {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
	if slices.Contains(drawers, base) || slices.Contains(drawers, s.ast.Name.Name) {
		return []string{s.finding(s.ast.Package, "name the file and the package after what is in it")}
	}
	return nil
}

var later = regexp.MustCompile(`\b(TODO|FIXME)\b`)

// putOff finds notes to do something later: do it, or open an issue.
func putOff(s source) []string {
	var found []string
	for _, group := range s.ast.Comments {
		for _, c := range group.List {
			if later.MatchString(c.Text) {
				found = append(found, s.finding(c.Pos(), "do it, or open an issue and drop the note"))
			}
		}
	}
	return found
}

// unexplained finds packages without a comment, or with one that does not begin like a package
// comment.
func unexplained(files []source) []string {
	first := files[0]
	for _, s := range files {
		if empty(s.ast.Doc) {
			continue
		}
		if name := s.ast.Name.Name; name == "main" || strings.HasPrefix(s.ast.Doc.Text(), "Package "+name+" ") {
			return nil
		}
		return []string{s.finding(s.ast.Package, "begin the comment with %q", "Package "+s.ast.Name.Name)}
	}
	return []string{first.finding(first.ast.Package,
		"package %s has no comment; say in one sentence what it is for", first.ast.Name.Name)}
}

func TestUnexplainedPackagesAreFound(t *testing.T) {
	t.Parallel()
	one := func(s source) []string { return unexplained([]source{s}) }
	try(t, one, map[string]sample{
		"no comment":      {"package p", "has no comment"},
		"another opening": {"// This package is.\npackage p", "begin the comment"},
		"package":         {"// Package p is.\npackage p", ""},
		"program":         {"// Quickstart shows.\npackage main", ""},
	})
}

func TestLongFilesAreFound(t *testing.T) {
	t.Parallel()
	lines := func(n int) string { return strings.Repeat("var _ int\n", n-1) }
	consts := "const (\n" + strings.Repeat("\t_ = 1\n", longest) + ")\n"
	const twoNouns, oneNoun = "func (a) f() {}\nfunc (b) f() {}\n", "func (a) f() {}\nfunc (a) g() {}\n"
	try(t, tooLong, map[string]sample{
		"too long":           {"package p\n" + lines(longest+1), "801 lines"},
		"just short enough":  {"package p\n" + lines(longest), ""},
		"two nouns":          {"package p\n" + lines(longestOfNouns-1) + twoNouns, "401 lines of code about a, b"},
		"one noun":           {"package p\n" + lines(longestOfNouns) + oneNoun, ""},
		"comments":           {"package p\n" + lines(longest) + "// Comment.\n", ""},
		"generated":          {"// Code generated by x. DO NOT EDIT.\n\npackage p\n" + lines(longest+1), ""},
		"block of constants": {"package p\n" + consts, ""},
	})
}

func TestEmptyNamesAreFound(t *testing.T) {
	t.Parallel()
	try(t, drawer, map[string]sample{
		"package": {"package util", "name the file"},
		"fine":    {"package webhook", ""},
	})
	s, err := parse("webhook/helpers_test.go", []byte("package webhook"))
	require.NoError(t, err)
	require.NotEmpty(t, drawer(s))
}

func TestPutOffWorkIsFound(t *testing.T) {
	t.Parallel()
	note := "TO" + "DO"
	try(t, putOff, map[string]sample{
		"line":     {"package p\n\n// " + note + ": later\nvar x int", "drop the note"},
		"block":    {"package p\n\nvar x int /* " + note + " */", "drop the note"},
		"a string": {"package p\n\nvar x = `// " + note + "`", ""},
	})
}
