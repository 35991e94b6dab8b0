package house_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestFieldsOfIDsAreNamedLikeTheirType(t *testing.T) {
	t.Parallel()
	check(t, source.published, misnamedIDs)
}

func TestConstantsBeginWithTheWordOfTheirType(t *testing.T) {
	t.Parallel()
	check(t, source.published, bareConstants)
}

func TestSecretsAreNoStrings(t *testing.T) {
	t.Parallel()
	check(t, source.published, openSecrets)
}

func TestNoStructReadsLikeAConstructor(t *testing.T) {
	t.Parallel()
	check(t, source.published, newStructs)
}

// What a search shows of a package is its first sentence.
func TestFirstSentencesNameWhatsApp(t *testing.T) {
	t.Parallel()
	check(t, source.published, vagueSentences)
}

// idFields are the types of ids whose fields are easily called by the name of the object, which is
// another thing.
var idFields = map[string]string{"PhoneNumberID": "Phone", "WABAID": "WABA"}

// misnamedIDs finds exported fields such as "Phone PhoneNumberID", beside which "Phone string"
// would be a number that can be dialled.
func misnamedIDs(s source) []string {
	var found []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return false
		case *ast.TypeSpec:
			return n.Name.IsExported()
		}
		field, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		typ := typeName(field.Type)
		for _, name := range field.Names {
			if name.IsExported() && idFields[typ] == name.Name {
				found = append(found, s.finding(name.Pos(), "%s is a %s; call it that", name.Name, typ))
			}
		}
		return true
	})
	return found
}

// typeName returns the name of a type without its package, or "" if it has none.
func typeName(typ ast.Expr) string {
	switch t := typ.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return t.Sel.Name
	}
	return ""
}

// otherWords are types whose constants begin with another word, and why.
var otherWords = map[string]string{
	"Class":      "it is an error, and errors begin with Err",
	"Answer":     "of eligibility: yes and no are the words",
	"ReasonCode": "of eligibility: a reason refuses, or it is a question that is still open",
}

// bareConstants finds constants that do not begin with a word of their type's name: Day among 700
// names says nothing, GranularityDay does. A word in another form will do, as in RestrictedCalling
// of a RestrictionType.
func bareConstants(s source) []string {
	var found []string
	typ := ""
	for d, spec := range s.values() {
		if d.Tok != token.CONST {
			continue
		}
		if id, ok := spec.Type.(*ast.Ident); ok {
			typ = id.Name
		} else if spec.Type != nil || len(spec.Values) > 0 { // else it repeats the one above, as with iota
			typ = ""
		}
		if !ast.IsExported(typ) || otherWords[typ] != "" {
			continue
		}
		for _, name := range spec.Names {
			if name.IsExported() && !beginsWithWordOf(name.Name, typ) {
				found = append(found, s.finding(name.Pos(), "%s does not begin with a word of %s", name.Name, typ))
			}
		}
	}
	return found
}

// stem is how many letters two forms of one word share at least.
const stem = 5

// beginsWithWordOf reports whether the name of a constant begins with a word of its type's name, or
// with another form of one.
func beginsWithWordOf(name, typ string) bool {
	return slices.ContainsFunc(words(typ), func(word string) bool {
		return strings.HasPrefix(name, word) || len(word) > stem && strings.HasPrefix(name, word[:stem])
	})
}

// words splits a name where a capital follows a small letter, or begins a word behind capitals:
// QRImage is QR and Image.
func words(name string) []string {
	var all []string
	begin, runes := 0, []rune(name)
	for i := 1; i < len(runes); i++ {
		endsCapitals := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || endsCapitals) {
			all, begin = append(all, string(runes[begin:i])), i
		}
	}
	return append(all, string(runes[begin:]))
}

// openSecrets finds parameters of exported functions that hold a secret or a token in a string,
// which prints itself. Function types count where a host sees them: in an exported field, or as a
// method of an interface.
func openSecrets(s source) []string {
	var found []string
	inspect := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			return visible(n)
		case *ast.FuncType:
			for _, param := range n.Params.List {
				found = append(found, openSecret(s, param)...)
			}
		}
		return true
	}
	for d := range s.funcs() {
		if exportedFunc(d) {
			inspect(d.Type)
		}
	}
	for _, spec := range s.types() {
		ast.Inspect(spec, inspect)
	}
	for _, spec := range s.values() {
		ast.Inspect(spec, inspect)
	}
	return found
}

// openSecret finds the names of one parameter that hold a secret, or a list of them, in a string.
func openSecret(s source, param *ast.Field) []string {
	var found []string
	elem := param.Type
	if list, ok := elem.(*ast.Ellipsis); ok {
		elem = list.Elt
	}
	if list, ok := elem.(*ast.ArrayType); ok {
		elem = list.Elt
	}
	if typeName(elem) != "string" {
		return nil
	}
	for _, name := range param.Names {
		word := strings.TrimSuffix(strings.ToLower(name.Name), "s")
		if strings.HasSuffix(word, "secret") || strings.HasSuffix(word, "token") {
			found = append(found, s.finding(name.Pos(),
				"%s is a string; make it a graph.Secret, which does not print itself", name.Name))
		}
	}
	return found
}

// newStructs finds exported structs such as NewTemplate. What makes a thing is a …CreateParams;
// New… is a function.
func newStructs(s source) []string {
	var found []string
	for _, spec := range s.types() {
		if _, ok := spec.Type.(*ast.StructType); ok && spec.Name.IsExported() && words(spec.Name.Name)[0] == "New" {
			found = append(found, s.finding(spec.Pos(), "%s reads like a constructor", spec.Name.Name))
		}
	}
	return found
}

// vagueSentences finds package comments whose first sentence does not name WhatsApp, or does not
// begin with "Package" and its name.
func vagueSentences(s source) []string {
	if empty(s.ast.Doc) {
		return nil
	}
	first, _, _ := strings.Cut(s.ast.Doc.Text(), "\n\n")
	first = strings.Join(strings.Fields(first), " ")
	first, _, _ = strings.Cut(first, ". ")
	if !strings.HasPrefix(first, "Package "+s.ast.Name.Name+" ") || !strings.Contains(first, "WhatsApp") {
		return []string{s.finding(s.ast.Name.Pos(),
			"the first sentence of the package comment does not say what of WhatsApp the package is: %q", first)}
	}
	return nil
}

func TestMisnamedIDsAreFound(t *testing.T) {
	t.Parallel()
	const misnamed = "call it that"
	try(t, misnamedIDs, map[string]sample{
		"phone":              {`package p; type T struct { Phone graph.PhoneNumberID }`, misnamed},
		"in its own package": {`package p; type T struct { Phone PhoneNumberID }`, misnamed},
		"account":            {`package p; type T struct { ID string; WABA graph.WABAID }`, misnamed},
		"nested":             {`package p; type T struct { In []struct { WABA graph.WABAID } }`, misnamed},
		"right":              {`package p; type T struct { WABAID graph.WABAID; PhoneNumberID PhoneNumberID }`, ""},
		"object":             {`package p; type T struct { Phone *cloudapi.Phone }`, ""},
		"list":               {`package p; type T struct { WABAs []graph.WABAID }`, ""},
		"parameter":          {`package p; func F(phone graph.PhoneNumberID) {}`, ""},
		"unexported":         {`package p; type t struct { Phone graph.PhoneNumberID }`, ""},
		"inside a body":      {`package p; func F() { var v struct { Phone graph.PhoneNumberID }; _ = v }`, ""},
	})
}

func TestBareConstantsAreFound(t *testing.T) {
	t.Parallel()
	const bare = "does not begin with a word of"
	try(t, bareConstants, map[string]sample{
		"adjective":      {`package p; const Limited Health = "LIMITED"`, bare},
		"behind others":  {"package p\n\nconst (\n\tStateSent State = 1\n\tQueued State = 2\n)", bare},
		"counted":        {"package p\n\nconst (\n\tStateSent State = iota\n\tQueued\n)", bare},
		"first word":     {`package p; const HealthLimited HealthState = "LIMITED"`, ""},
		"last word":      {`package p; const StateLimited HealthState = "LIMITED"`, ""},
		"other form":     {`package p; const RestrictedCalling RestrictionType = "x"`, ""},
		"initials":       {`package p; const QRPNG QRImage = "PNG"`, ""},
		"an error":       {`package p; const ErrAuth Class = 1`, ""},
		"without a type": {"package p\n\nconst (\n\tStateSent State = 1\n\tMax = 2\n)", ""},
		"of no own type": {`package p; const Window = time.Hour; const Path string = "x"; const Long x.Unit = 1`, ""},
		"unexported":     {`package p; const limited Health = "x"`, ""},
	})
	require.Equal(t, []string{"QR", "Image", "ID"}, words("QRImageID"))
}

func TestOpenSecretsAreFound(t *testing.T) {
	t.Parallel()
	const open = "make it a graph.Secret"
	try(t, openSecrets, map[string]sample{
		"function":      {`package p; func F(appSecret string, body []byte) {}`, open},
		"token":         {`package p; func F(url, token string) {}`, open},
		"list":          {`package p; func F(appSecrets ...string) {}`, open},
		"slice":         {`package p; func F(tokens []string) {}`, open},
		"method":        {`package p; func (T) F(verifyToken string) {}`, open},
		"interface":     {`package p; type T interface { F(secret string) }`, open},
		"callback":      {`package p; type T struct { On func(token string) }`, open},
		"secret":        {`package p; func F(appSecret graph.Secret) {}`, ""},
		"another type":  {`package p; func F(token LeaseToken) {}`, ""},
		"another name":  {`package p; func F(tokenType string) {}`, ""},
		"unexported":    {`package p; func f(secret string) {}; func (t) F(secret string) {}`, ""},
		"hidden member": {`package p; type T struct { on func(token string) }`, ""},
	})
}

func TestNewStructsAreFound(t *testing.T) {
	t.Parallel()
	const reads = "reads like a constructor"
	try(t, newStructs, map[string]sample{
		"struct":      {`package p; type NewTemplate struct{}`, reads},
		"alone":       {`package p; type New struct{}`, reads},
		"news":        {`package p; type Newsletter struct{}`, ""},
		"function":    {`package p; func NewTemplate() {}`, ""},
		"unexported":  {`package p; type newTemplate struct{}`, ""},
		"not in head": {`package p; type TemplateNew struct{}`, ""},
	})
}

func TestVagueSentencesAreFound(t *testing.T) {
	t.Parallel()
	const vague = "does not say what of WhatsApp the package is"
	try(t, vagueSentences, map[string]sample{
		"without the name":      {"// Package p keeps deliveries.\npackage p", vague},
		"in the second":         {"// Package p keeps deliveries. They are WhatsApp's.\npackage p", vague},
		"in the next paragraph": {"// Package p keeps deliveries\n//\n// of WhatsApp.\npackage p", vague},
		"another beginning":     {"// This keeps WhatsApp webhooks.\npackage p", vague},
		"over two lines":        {"// Package p keeps\n// WhatsApp webhooks. More.\npackage p", ""},
		"no comment":            {"package p", ""},
	})
}
