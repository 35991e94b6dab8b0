package house_test

import (
	"go/ast"
	"go/token"
	"testing"
)

func TestExportedSignaturesNameTheirTypes(t *testing.T) {
	t.Parallel()
	check(t, source.published, emptyInterfaces)
}

func TestEverythingExportedIsDocumented(t *testing.T) {
	t.Parallel()
	check(t, func(s source) bool { return !s.isTest() }, undocumented)
}

// dictated are names whose types the language or the standard library dictates.
var dictated = map[string]string{
	"As":         "errors.As takes any",
	"PanicError": "panic takes any",
	"Scan":       "sql.Scanner takes any",
}

// emptyInterfaces finds "any" and "interface{}" where a host would have to spell them out or find
// out what is inside: parameters, results, exported fields and methods, declared types. A type
// parameter may be constrained by any.
func emptyInterfaces(s source) []string {
	var found []string
	report := func(pos token.Pos, name string) {
		if dictated[name] != "" {
			return
		}
		found = append(found, s.finding(pos, "%s mentions any; say which types it takes (a sealed interface, a type parameter)", name))
	}
	for _, decl := range s.ast.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if pos := findAny(d.Type); exportedFunc(d) && pos.IsValid() {
				report(pos, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if pos := findAny(spec.Type); spec.Name.IsExported() && pos.IsValid() {
						report(pos, spec.Name.Name)
					}
				case *ast.ValueSpec:
					if pos := findAny(spec.Type); spec.Names[0].IsExported() && pos.IsValid() {
						report(pos, spec.Names[0].Name)
					}
				}
			}
		}
	}
	return found
}

// findAny returns where the type mentions the empty interface, as far as an importing package sees
// it.
func findAny(typ ast.Expr) token.Pos {
	if typ == nil { // a value whose type is inferred
		return token.NoPos
	}
	var found token.Pos
	ast.Inspect(typ, func(n ast.Node) bool {
		if found.IsValid() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.Params, n.Results} { // not n.TypeParams
				if list == nil {
					continue
				}
				for _, field := range list.List {
					if pos := findAny(field.Type); pos.IsValid() {
						found = pos
					}
				}
			}
			return false
		case *ast.InterfaceType:
			if n.Methods.NumFields() == 0 {
				found = n.Pos()
			}
		case *ast.Field: // of a struct or an interface
			return visible(n)
		case *ast.Ident:
			if n.Name == "any" {
				found = n.Pos()
			}
		case *ast.SelectorExpr:
			return false
		}
		return true
	})
	return found
}

func visible(f *ast.Field) bool {
	for _, name := range f.Names {
		if name.IsExported() {
			return true
		}
	}
	return len(f.Names) == 0 // embedded
}

// exportedFunc says whether importing packages can call d.
func exportedFunc(d *ast.FuncDecl) bool {
	return d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d)))
}

// receiver returns the name of the type that d is a method of, or "".
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// undocumented finds exported declarations without a comment. Constants and variables may share the
// comment of their block, carry one at the end of the line, or leave it to their type. A method
// that lists what each implementation of a documented interface answers, in the file of that
// interface, needs no comment either.
func undocumented(s source) []string {
	var found []string
	promised := interfaceMethods(s)
	report := func(id *ast.Ident) {
		found = append(found, s.finding(id.Pos(), "%s has no comment; say what its user cannot see", id.Name))
	}
	for _, decl := range s.ast.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if exportedFunc(d) && empty(d.Doc) && (d.Recv == nil || !promised[d.Name.Name]) {
				report(d.Name)
			}
		case *ast.GenDecl:
			typed := false // an enum: its type has the comment
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && empty(spec.Doc) && (d.Lparen.IsValid() || empty(d.Doc)) {
						report(spec.Name)
					}
				case *ast.ValueSpec:
					if typ, ok := spec.Type.(*ast.Ident); ok {
						typed = typ.IsExported()
					} else if len(spec.Values) > 0 {
						typed = false
					}
					for _, id := range spec.Names {
						if id.IsExported() && !typed && empty(spec.Doc) && empty(spec.Comment) && empty(d.Doc) {
							report(id)
						}
					}
				}
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

func TestEmptyInterfacesAreFound(t *testing.T) {
	t.Parallel()
	const loose = "mentions any"
	try(t, emptyInterfaces, map[string]sample{
		"parameter":             {`package p; func F(v any) {}`, loose},
		"variadic parameter":    {`package p; func F(v ...any) {}`, loose},
		"result":                {`package p; func F() map[string]any { return nil }`, loose},
		"method":                {`package p; func (*T) F(v interface{}) {}`, loose},
		"generic receiver":      {`package p; type T[E error] int; func (T[E]) F(v any) {}`, loose},
		"field":                 {`package p; type T struct { V any }`, loose},
		"nested field":          {`package p; type T struct { V []struct { W *any } }`, loose},
		"interface method":      {`package p; type T interface { F(any) }`, loose},
		"declared type":         {`package p; type T map[string]interface{}`, loose},
		"function type":         {`package p; type T func() (any, error)`, loose},
		"type argument":         {`package p; import "iter"; func F() iter.Seq[any] { return nil }`, loose},
		"variable":              {`package p; var V []any`, loose},
		"callback":              {`package p; func F(fn func(any) error) {}`, loose},
		"constraint":            {`package p; func F[T any](v T) {}`, ""},
		"constrained type":      {`package p; type T[E any] struct { V E }`, ""},
		"unexported":            {`package p; func f(v any) {}; type t struct { V any }; func (t) F(v any) {}`, ""},
		"unexported field":      {`package p; type T struct { v any }`, ""},
		"sealed":                {`package p; type T interface { sealed(any) }`, ""},
		"inside a body":         {`package p; func F() { var v any; _ = v }`, ""},
		"another package's any": {`package p; import "x"; func F(v x.any) {}`, ""},
		"dictated":              {`package p; type T int; func (*T) Scan(src any) error { return nil }`, ""},
	})
}

func TestMissingCommentsAreFound(t *testing.T) {
	t.Parallel()
	const missing = "has no comment"
	try(t, undocumented, map[string]sample{
		"function":         {`package p; func F() {}`, missing},
		"method":           {"package p\n\nfunc (T) F() {}", missing},
		"type":             {`package p; type T int`, missing},
		"type of a group":  {"package p\n\n// These are types.\ntype (\n\tT int\n)", missing},
		"constant":         {`package p; const C = 1`, missing},
		"only a directive": {"package p\n\n//go:noinline\nfunc F() {}", missing},
		"untyped":          {"package p\n\nconst (\n\tC T = 1\n\tD = 2\n)", missing},
		"another method":   {"package p\n\n// I is.\ntype I interface {\n\t// F does.\n\tF()\n}\n\nfunc (T) G() {}", missing},
		"enum":             {"package p\n\nconst (\n\tC T = iota\n\tD\n)", ""},
		"listed method":    {"package p\n\n// I is.\ntype I interface {\n\t// F does.\n\tF()\n}\n\nfunc (T) F() {}", ""},
		"documented":       {"package p\n\n// F does.\nfunc F() {}\n\n// T is.\ntype T int\n\n// F does.\nfunc (T) F() {}", ""},
		"end of the line":  {"package p\n\nconst (\n\tC = 1 // one\n)", ""},
		"block":            {"package p\n\n// These are numbers.\nconst (\n\tC = 1\n\tD = 2\n)", ""},
		"unexported":       {`package p; func f() {}; type t int; func (t) F() {}; const c = 1`, ""},
	})
}
