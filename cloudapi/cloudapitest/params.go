package cloudapitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"reflect"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A params is the bag of parameters of a request. The Graph API has one for the query, a form, a
// form with files and a JSON body alike; here every route reads it and none of the four.
//
// Meta: https://developers.facebook.com/docs/graph-api/overview
type params struct {
	values map[string]json.RawMessage // a text of a query or a form is a JSON string
	files  map[string]file
}

// A file is a part of a form.
type file struct {
	name, mimeType string
	body           []byte
}

// genericParams are taken on every path, and are never a parameter of a route.
var genericParams = []string{
	"access_token", "appsecret_proof", "appsecret_time", "debug", "fields", "format", "locale", "pretty",
	"suppress_http_code",
}

// readParams reads a query and a body. Parameters of the body replace those of the query, and the
// last one of a name holds. What can be read of a malformed body is kept, since the token may be in
// it, and the error says that the rest is not.
func readParams(contentType string, query url.Values, body []byte) (params, *graphError) {
	p := params{values: map[string]json.RawMessage{}, files: map[string]file{}}
	p.addTexts(query)
	kind, attributes, _ := mime.ParseMediaType(contentType)
	var err error
	switch kind {
	case "application/x-www-form-urlencoded":
		var form url.Values
		form, err = url.ParseQuery(string(body))
		p.addTexts(form)
	case "multipart/form-data":
		err = p.addParts(body, attributes["boundary"])
	default:
		if len(bytes.TrimSpace(body)) > 0 {
			var members map[string]json.RawMessage
			err = json.Unmarshal(body, &members)
			maps.Copy(p.values, members)
		}
	}
	if err != nil {
		return p, invalid("The request body is not what its Content-Type says, with the parameters as members")
	}
	return p, nil
}

// addTexts adds the parameters of a query or a form.
func (p params) addTexts(values url.Values) {
	for name, texts := range values {
		p.values[name] = raw(texts[len(texts)-1])
	}
}

// addParts adds the fields and the files of a form.
func (p params) addParts(body []byte, boundary string) error {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // as the reader documents it
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() == "" {
			p.values[part.FormName()] = raw(string(content))
			continue
		}
		p.files[part.FormName()] = file{part.FileName(), part.Header.Get("Content-Type"), content}
	}
}

// get returns a parameter as a text: a string as it is, any other value as JSON. A parameter that
// is absent or null is empty.
func (p params) get(name string) string {
	value := p.values[name]
	var text string
	if json.Unmarshal(value, &text) == nil || value == nil {
		return text
	}
	return string(value)
}

// has reports whether a parameter is there.
func (p params) has(name string) bool { return p.values[name] != nil }

// yes reports whether a parameter is true, in any of the spellings of a boolean.
func (p params) yes(name string) bool { return p.get(name) == "true" || p.get(name) == "1" }

// members returns the parameters of the route, for one that takes any of several names.
func (p params) members() map[string]json.RawMessage {
	own := maps.Clone(p.values)
	for _, name := range genericParams {
		delete(own, name)
	}
	return own
}

// decode fills v from the parameters, each in any of the forms that coerce takes. A parameter that
// is absent leaves its member alone.
func decode[T any](p params, v *T) *graphError {
	err := json.Unmarshal(coerce(raw(p.values), reflect.TypeFor[T]()), v)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return &graphError{
			Code:    graph.CodeInvalidParameter,
			Message: fmt.Sprintf("(#100) Param %s must be %s.", wrong.Field, wireType(wrong.Type)),
		}
	}
	return invalid("The parameters are not of the types that this call takes")
}

// wireType names a type as Meta's errors do.
func wireType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "a JSON object"
	case reflect.Slice:
		return "an array"
	case reflect.Bool:
		return "a boolean"
	case reflect.String:
		return "a string"
	}
	return "a number"
}
