package house_test

import (
	"flag"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the code of README.md and of docs/ anew from its sources")

// Limits on what a page asks of a reader.
const (
	longestPage    = 150     // lines
	longestSnippet = 15      // lines, in README.md
	largestPicture = 300_000 // bytes
)

// Where a page and a package are found by readers who have no clone.
const (
	guideURL     = "https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/"
	referenceURL = "https://pkg.go.dev/github.com/seed-9f2bcc2b/whatsapp-coexistence/"
)

// A document is one Markdown file of the repository.
type document struct {
	path string // from the top, with slashes
	text string
}

// documents returns all of them by path.
func documents(t *testing.T) map[string]document {
	t.Helper()
	all := map[string]document{}
	require.NoError(t, walk(func(name string, text func() ([]byte, error)) error {
		if path.Ext(name) != ".md" {
			return nil
		}
		b, err := text()
		all[name] = document{name, string(b)}
		return err
	}))
	require.Contains(t, all, "README.md")
	return all
}

// guide says whether the document is README.md or a page of docs/.
func (d document) guide() bool { return d.path == "README.md" || path.Dir(d.path) == "docs" }

// fence finds blocks of code with what is on the line before: submatches are that line, the
// language and the code.
var fence = regexp.MustCompile("(?m)(?:^(.*)\n)?^```([a-z]*)\n((?s:.*?))^```$")

func TestPagesAreShort(t *testing.T) {
	t.Parallel()
	for _, d := range documents(t) {
		if lines := strings.Count(d.text, "\n"); d.guide() && lines > longestPage {
			t.Errorf("%s has %d lines; %d are the most: move a part to another page", d.path, lines, longestPage)
		}
	}
	for _, block := range fence.FindAllStringSubmatch(documents(t)["README.md"].text, -1) {
		if lines := strings.Count(block[3], "\n"); block[2] == "go" && lines > longestSnippet {
			t.Errorf("README.md: a block of %d lines; %d are the most:\n%s", lines, longestSnippet, block[3])
		}
	}
}

// The line before a block of Go names its source: an example by its package, or a file and what of
// it is shown.
var (
	exampleMarker = regexp.MustCompile(`^<!-- example: (\S+)\.(Example\w*) -->$`)
	codeMarker    = regexp.MustCompile(`^<!-- code: ([^ #]+)(?:#(\S+))? -->$`)
)

// marked returns the code that the marker of a block names.
func marked(all []source, line string) (string, error) {
	if m := codeMarker.FindStringSubmatch(line); m != nil {
		return excerpt(all, m[1], m[2])
	}
	m := exampleMarker.FindStringSubmatch(line)
	if m == nil {
		return "", fmt.Errorf("the line before a block of Go has to name its source, such as "+
			"<!-- example: webhook.ExampleSign --> or <!-- code: examples/send/main.go -->; it is %q", line)
	}
	for _, s := range all {
		for f := range s.funcs() {
			if s.dir() == m[1] && s.isTest() && nameOf(f) == m[2] {
				return exampleBody(s, f), nil
			}
		}
	}
	return "", fmt.Errorf("package %s has no %s", m[1], m[2])
}

// The code of a page is that of a file which the compiler and a test keep true.
func TestCodeOfPagesIsCompiled(t *testing.T) {
	t.Parallel()
	for _, d := range documents(t) {
		if !d.guide() {
			continue
		}
		text := fence.ReplaceAllStringFunc(d.text, func(block string) string {
			m := fence.FindStringSubmatch(block)
			if m[2] != "go" {
				return block
			}
			code, err := marked(sources(t), m[1])
			if err != nil {
				t.Errorf("%s: %v", d.path, err)
				return block
			}
			return m[1] + "\n```go\n" + code + "```"
		})
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join(root, filepath.FromSlash(d.path)), []byte(text), 0o644))
			continue
		}
		require.Equal(t, text, d.text, "%s: go test ./internal/house -run TestCodeOfPagesIsCompiled -update", d.path)
	}
}

// excerpt returns a part of a Go file: the whole program if part is empty, without the package
// clause if it is none, all behind the imports for "declarations", or the declaration of that name,
// T.M for a method.
func excerpt(all []source, file, part string) (string, error) {
	i := slices.IndexFunc(all, func(s source) bool { return s.path == file })
	if i < 0 {
		return "", fmt.Errorf("there is no %s", file)
	}
	s := all[i]
	cut := func(from, to ast.Node) string {
		return string(s.text[s.fset.Position(from.Pos()).Offset:s.fset.Position(to.End()).Offset])
	}
	behind := func(n ast.Node) string {
		return strings.TrimSpace(string(s.text[s.fset.Position(n.End()).Offset:])) + "\n"
	}
	switch part {
	case "":
		if s.ast.Name.Name == "main" { // a reader saves it as a file and runs it
			return "package main\n\n" + behind(s.ast.Name), nil
		}
		return behind(s.ast.Name), nil
	case "declarations":
		for _, decl := range slices.Backward(s.ast.Decls) {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok.String() == "import" {
				return behind(d), nil
			}
		}
	}
	for f := range s.funcs() {
		if nameOf(f) != part {
			continue
		}
		if f.Doc != nil {
			return cut(f.Doc, f) + "\n", nil
		}
		return cut(f, f) + "\n", nil
	}
	for d, spec := range s.types() {
		if spec.Name.Name == part && d.Doc != nil {
			return cut(d.Doc, d) + "\n", nil
		}
	}
	return "", fmt.Errorf("%s has no %s", file, part)
}

// nameOf is F for a function and T.M for a method.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// exampleBody is what pkg.go.dev shows of an example, without the output.
func exampleBody(s source, f *ast.FuncDecl) string {
	from, to := s.fset.Position(f.Body.Lbrace).Offset+1, s.fset.Position(f.Body.Rbrace).Offset
	for _, group := range s.ast.Comments {
		text := strings.ToLower(group.Text())
		if group.Pos() > f.Body.Lbrace && group.End() < f.Body.Rbrace &&
			(strings.HasPrefix(text, "output:") || strings.HasPrefix(text, "unordered output:")) {
			to = s.fset.Position(group.Pos()).Offset
		}
	}
	lines := strings.Split(strings.Trim(string(s.text[from:to]), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "\t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n")) + "\n"
}

// link finds the addresses of links and pictures.
var link = regexp.MustCompile(`\]\(([^()\s]+)\)|(?:src|href)="([^"]+)"`)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := documents(t)
	for _, d := range all {
		for _, m := range link.FindAllStringSubmatch(prose(d.text), -1) {
			if wrong := broken(all, d, m[1]+m[2]); wrong != "" {
				t.Errorf("%s: %s %s", d.path, m[1]+m[2], wrong)
			}
		}
	}
}

// broken says what is wrong with a link of d. What lies outside of the repository is not looked at.
func broken(all map[string]document, d document, to string) string {
	if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") || strings.HasPrefix(to, "/") {
		return ""
	}
	name, anchor, _ := strings.Cut(to, "#")
	target := d.path
	if name != "" {
		target = path.Join(path.Dir(d.path), name)
	}
	file, err := fs.Stat(os.DirFS(root), target)
	switch {
	case err != nil:
		return "leads to no file"
	case path.Ext(target) == ".png" && file.Size() > largestPicture:
		return fmt.Sprintf("has %d bytes; %d are the most", file.Size(), largestPicture)
	case anchor != "" && !slices.Contains(anchors(all[target].text), anchor):
		return fmt.Sprintf("leads to no heading; there are %v", anchors(all[target].text))
	}
	return ""
}

// prose is a document without its code, in which brackets are no links.
func prose(text string) string {
	text = fence.ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "")
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// anchors returns the names that GitHub gives to the headings of a document.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, m[1]))
	}
	return all
}

func TestTheIndexNamesEveryPage(t *testing.T) {
	t.Parallel()
	all := documents(t)
	index := all["docs/README.md"].text
	for _, d := range all {
		if path.Dir(d.path) == "docs" && path.Base(d.path) != "README.md" {
			require.Contains(t, index, "]("+path.Base(d.path)+")", "docs/README.md has to link %s", d.path)
		}
	}
}

// Who reads the reference finds the guide, and who reads the guide finds the reference.
func TestPackagesAndPagesLinkEachOther(t *testing.T) {
	t.Parallel()
	all, guides := documents(t), map[string]string{}
	page := regexp.MustCompile(regexp.QuoteMeta("Guide: "+guideURL) + `(\S+)`)
	for _, s := range sources(t) {
		program := !s.isTest() && (s.dir() == "signup/doctor" || s.dir() == "coexistence/simulator")
		if !s.published() && !program {
			continue
		}
		guides[s.dir()] += "" // the package is there
		if m := page.FindStringSubmatch(s.ast.Doc.Text()); m != nil {
			guides[s.dir()] = m[1]
		}
	}
	require.Contains(t, guides, "webhook")
	for dir, name := range guides {
		if name == "" {
			t.Errorf("%s: its package comment has to end with a line such as Guide: %sreceive.md", dir, guideURL)
			continue
		}
		d, found := all["docs/"+name]
		if !found {
			t.Errorf("%s: there is no docs/%s", dir, name)
			continue
		}
		if !strings.Contains(d.text, "]("+referenceURL+dir+")") {
			t.Errorf("docs/%s has to link %s%s", name, referenceURL, dir)
		}
	}
}

func TestExcerptsAreWhatTheySay(t *testing.T) {
	t.Parallel()
	s, err := parse("p/p.go", []byte("package p\n\nimport \"fmt\"\n\n// T is a type.\ntype T struct{}\n\n"+
		"// M prints.\nfunc (t *T) M() { fmt.Println() }\n\n"+
		"func ExampleT() {\n\tif true {\n\t\tnew(T).M()\n\t}\n\t// Output:\n\t//\n}\n"))
	require.NoError(t, err)
	for part, want := range map[string]string{
		"T":   "// T is a type.\ntype T struct{}\n",
		"T.M": "// M prints.\nfunc (t *T) M() { fmt.Println() }\n",
	} {
		have, err := excerpt([]source{s}, "p/p.go", part)
		require.NoError(t, err)
		require.Equal(t, want, have)
	}
	have, err := excerpt([]source{s}, "p/p.go", "")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(have, "import \"fmt\"\n"), have)
	program, err := parse("p/main.go", []byte("// Program prints.\npackage main\n\nfunc main() { println() }\n"))
	require.NoError(t, err)
	have, err = excerpt([]source{program}, "p/main.go", "")
	require.NoError(t, err)
	require.Equal(t, "package main\n\nfunc main() { println() }\n", have)
	have, err = excerpt([]source{s}, "p/p.go", "declarations")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(have, "// T is a type.\n"), have)
	s.path = "p/p_test.go"
	have, err = marked([]source{s}, "<!-- example: p.ExampleT -->")
	require.NoError(t, err)
	require.Equal(t, "if true {\n\tnew(T).M()\n}\n", have)
	for _, line := range []string{"", "<!-- example: p.ExampleU -->", "<!-- code: p/p_test.go#U -->"} {
		_, err = marked([]source{s}, line)
		require.Error(t, err, line)
	}
	_, err = excerpt([]source{s}, "q/q.go", "T")
	require.Error(t, err)
}

func TestBrokenLinksAreFound(t *testing.T) {
	t.Parallel()
	all := map[string]document{"docs/send.md": {"docs/send.md", "# One\n"}, "README.md": {"README.md", "# Two\n"}}
	for to, want := range map[string]string{
		"https://example.com/x": "", "#one": "", "../README.md#two": "", "comparison.md": "",
		"#two": "no heading", "../README.md#one": "no heading", "gone.md": "no file",
	} {
		have := broken(all, all["docs/send.md"], to)
		require.Contains(t, have, want, to)
		require.Equal(t, want == "", have == "", "%s: %s", to, have)
	}
}

func TestAnchorsAreThoseOfGitHub(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"metas-names", "go-and-http2", "a_b"},
		anchors("# Meta's names\n\n```sh\n# no heading\n```\n\n## Go, and `HTTP/2`\n\n### A_b\n"))
}
