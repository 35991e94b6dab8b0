package health_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A code without advice would leave the person on call without help.
func TestEveryCodeHasAdvice(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)
	var codes []string
	values, advised := map[string]bool{}, map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if strings.HasPrefix(n.Names[0].Name, "Code") {
				value, err := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				require.False(t, values[value], "%s is there twice", value)
				values[value] = true
				codes = append(codes, n.Names[0].Name)
			}
		case *ast.KeyValueExpr:
			advised[n.Key.(*ast.Ident).Name] = true
		}
		return true
	})
	require.NotEmpty(t, codes)
	for _, code := range codes {
		require.True(t, advised[code], "%s has no advice", code)
	}
	require.Len(t, advised, len(codes))
}
