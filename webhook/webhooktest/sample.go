package webhooktest

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed samples
var samples embed.FS

// Sample returns the body of a delivery of a webhook field, such as Sample("history", "declined").
// [Samples] lists them all. The bodies are made up after Meta's documentation; every number, id and
// name in them is fictitious.
//
// It panics if there is no such sample, because a test cannot continue then.
func Sample(field, name string) []byte {
	body, err := samples.ReadFile(path.Join("samples", field, name+".json"))
	if err != nil {
		panic(fmt.Sprintf("webhooktest: there is no sample %q of field %q; Samples lists all", name, field))
	}
	return body
}

// A SampleName holds the arguments of [Sample].
type SampleName struct {
	Field string // such as "messages"
	Case  string // such as "text-reply"
}

// Samples returns the names of all samples, sorted.
func Samples() []SampleName {
	var names []SampleName
	files, err := fs.Glob(samples, "samples/*/*.json")
	if err != nil {
		panic(err) // the pattern is fixed
	}
	for _, file := range files {
		dir, base := path.Split(file)
		names = append(names, SampleName{path.Base(dir), strings.TrimSuffix(base, ".json")})
	}
	slices.SortFunc(names, func(a, b SampleName) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Case, b.Case))
	})
	return names
}
