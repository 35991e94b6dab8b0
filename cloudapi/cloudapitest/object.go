package cloudapitest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An object is a node of the graph that belongs to a number or an account: a file, a template, a
// Flow.
type object struct {
	id    string
	kind  kind
	phone *phone // nil if it belongs to an account
	waba  *waba  // nil if it belongs to a number
	value any    // a pointer to the type that belongs to the kind
}

// put adds an object under its id. The caller must hold s.mu.
func (s *Server) put(o *object) {
	s.objects = append(s.objects, o)
}

// object finds an object by its id, or returns nil. Ids of all kinds are different, as Meta's are.
func (s *Server) object(id string) *object {
	for _, o := range s.objects {
		if o.id == id {
			return o
		}
	}
	return nil
}

// drop removes an object.
func (s *Server) drop(id string) {
	s.objects = slices.DeleteFunc(s.objects, func(o *object) bool { return o.id == id })
}

// valueOf returns what the call's object is. The route's kind has made sure of the type.
func valueOf[T any](c *call) *T {
	v, _ := c.object.value.(*T)
	return v
}

// all returns the objects of a kind, in the order in which they were made.
func all[T any](s *Server, k kind, keep func(*object) bool) []*T {
	var list []*T
	for _, o := range s.objects {
		if o.kind == k && keep(o) {
			if v, ok := o.value.(*T); ok {
				list = append(list, v)
			}
		}
	}
	return list
}

// loadObject finds the object that a path names, and judges the token's right to it. An object out
// of reach does not exist. One without an owner, such as an upload, is open to every token.
func (s *Server) loadObject(c *call) *graphError {
	c.object = s.object(c.id)
	switch {
	case c.object == nil:
		return notFound(c.method, c.id)
	case c.object.phone != nil:
		c.phone = c.object.phone
		if !c.token.reaches(c.phone.WABAs...) || s.lost(c.phone) {
			return notFound(c.method, c.id)
		}
	case c.object.waba != nil:
		c.waba = c.object.waba
		if !c.token.reaches(c.waba.ID) || c.waba.lost {
			return notFound(c.method, c.id)
		}
	}
	return nil
}

// A file is a part of a form.
type file struct {
	name, mimeType string
	body           []byte
}

// form reads a body in any of the forms in which the Graph API takes parameters: JSON, a form, a
// form with files. Parameters of the query are among the values, and those of the body replace
// them. A member of JSON that is no string is handed on as JSON.
func (c *call) form() (url.Values, map[string]file, *graphError) {
	kind, params, _ := mime.ParseMediaType(c.header.Get("Content-Type"))
	values, files := url.Values{}, map[string]file{}
	maps.Copy(values, c.query)
	switch kind {
	case "application/x-www-form-urlencoded":
		v, err := url.ParseQuery(string(c.body))
		if err != nil {
			return nil, nil, invalid("the form cannot be read")
		}
		for name := range v {
			values[name] = v[name]
		}
	case "multipart/form-data":
		files, err := c.parts(params["boundary"], values)
		if err != nil {
			return nil, nil, invalid("the form cannot be read")
		}
		return values, files, nil
	default:
		var members map[string]json.RawMessage
		if err := decode(c, &members); err != nil {
			return nil, nil, err
		}
		for name, raw := range members {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			values.Set(name, text)
		}
	}
	return values, files, nil
}

// parts reads a form with files: fields are added to values, files are returned by the name of
// their field, the last one of a name.
func (c *call) parts(boundary string, values url.Values) (map[string]file, error) {
	files := map[string]file{}
	r := multipart.NewReader(bytes.NewReader(c.body), boundary)
	for {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // as the reader documents it
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		if part.FileName() == "" {
			values.Set(part.FormName(), string(body))
			continue
		}
		files[part.FormName()] = file{part.FileName(), part.Header.Get("Content-Type"), body}
	}
}

// tokenOf cuts the token out of a header; resumable uploads say OAuth where all others say Bearer.
func tokenOf(r *http.Request) graph.Secret {
	header := r.Header.Get("Authorization")
	for _, scheme := range []string{"Bearer ", "OAuth "} {
		if value, ok := strings.CutPrefix(header, scheme); ok {
			return graph.Secret(value)
		}
	}
	return ""
}
