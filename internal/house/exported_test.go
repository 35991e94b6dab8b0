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
		found = append(found, s.finding(pos,
			"%s mentions any; say which types it takes (a sealed interface, a type parameter)", name))
	}
	for d := range s.funcs() {
		if pos := findAny(d.Type); exportedFunc(d) && pos.IsValid() {
			report(pos, d.Name.Name)
		}
	}
	for _, spec := range s.types() {
		if pos := findAny(spec.Type); spec.Name.IsExported() && pos.IsValid() {
			report(pos, spec.Name.Name)
		}
	}
	for _, spec := range s.values() {
		if pos := findAny(spec.Type); spec.Names[0].IsExported() && pos.IsValid() {
			report(pos, spec.Names[0].Name)
		}
	}
	return found
}

// findAny returns where the type mentions the empty interface, as far as an importing package sees
// it.
func findAny(typ ast.Expr) token.Pos {
	var found token.Pos
	if typ == nil { // a value whose type is inferred
		return found
	}
	ast.Inspect(typ, func(n ast.Node) bool {
		if found.IsValid() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncType:
			found = findAnyField(n.Params, n.Results) // not n.TypeParams, whose constraint it may be
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
		case *ast.SelectorExpr: // another package's type may be called any as well
			return false
		}
		return true
	})
	return found
}

// findAnyField is findAny for parameters and results; a list of results may be nil.
func findAnyField(lists ...*ast.FieldList) token.Pos {
	for _, list := range lists {
		if list == nil {
			continue
		}
		for _, field := range list.List {
			if pos := findAny(field.Type); pos.IsValid() {
				return pos
			}
		}
	}
	return token.NoPos
}

// visible reports whether importing packages see the field. An embedded one counts as seen: what it
// promotes may be exported.
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

func TestEmptyInterfacesAreFound(t *testing.T) {
	t.Parallel()
	const mentions = "mentions any"
	try(t, emptyInterfaces, map[string]sample{
		"parameter":             {`package p; func F(v any) {}`, mentions},
		"variadic parameter":    {`package p; func F(v ...any) {}`, mentions},
		"result":                {`package p; func F() map[string]any { return nil }`, mentions},
		"method":                {`package p; func (*T) F(v interface{}) {}`, mentions},
		"generic receiver":      {`package p; type T[E error] int; func (T[E]) F(v any) {}`, mentions},
		"field":                 {`package p; type T struct { V any }`, mentions},
		"nested field":          {`package p; type T struct { V []struct { W *any } }`, mentions},
		"interface method":      {`package p; type T interface { F(any) }`, mentions},
		"declared type":         {`package p; type T map[string]interface{}`, mentions},
		"function type":         {`package p; type T func() (any, error)`, mentions},
		"type argument":         {`package p; import "iter"; func F() iter.Seq[any] { return nil }`, mentions},
		"variable":              {`package p; var V []any`, mentions},
		"callback":              {`package p; func F(fn func(any) error) {}`, mentions},
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
