package sqlstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// encode returns the document of v: JSON that does not escape the < and > of raw bodies, so that a
// body comes back unchanged. Two values are equal for the store if their documents are.
func encode[T any](v *T) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("not stored, it has no JSON: %w", err)
	}
	return strings.ToValidUTF8(strings.TrimSuffix(b.String(), "\n"), "\uFFFD"), nil
}

// decode is the inverse of encode. Unknown members are ignored and missing ones are zero, so
// documents of older releases can be read.
func decode[T any](doc string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		// The error of the JSON package can quote what it read.
		return v, errors.New("a stored document is not what this release writes; a newer release may have written " +
			"it, or something else changed the tables")
	}
	return v, nil
}
