package sqlstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// encode returns v as it is stored: JSON in which < and > of raw bodies stay as they are, so that a
// body comes back as it was. Two values are the same for the store if their documents are, so what
// JSON does not tell apart makes no change.
func encode[T any](v *T) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("not stored, it has no JSON: %w", err)
	}
	return strings.ToValidUTF8(strings.TrimSuffix(b.String(), "\n"), "\uFFFD"), nil
}

// decode is the opposite of encode. Members that this release does not know are passed over, those
// that are missing are zero: a document of an older release is good.
func decode[T any](doc string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		// The error of the JSON package can quote what it read.
		return v, errors.New("a stored document is not what this release writes; a newer release may have written " +
			"it, or something else changed the tables")
	}
	return v, nil
}
