package cloudapitest

import (
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
	value any
}

// put adds an object under its id. The caller must hold s.mu.
func (s *Server) put(o *object) {
	s.objects = append(s.objects, o)
}

func (s *Server) object(id string) *object {
	for _, o := range s.objects {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (s *Server) drop(id string) {
	s.objects = slices.DeleteFunc(s.objects, func(o *object) bool { return o.id == id })
}

// valueOf returns what the call's object is.
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

// loadObject finds the object that a path names, and judges the token's right to it.
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
// form with files.
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
		r := multipart.NewReader(strings.NewReader(string(c.body)), params["boundary"])
		for {
			part, err := r.NextPart()
			if err == io.EOF { //nolint:errorlint // as the reader documents it
				break
			}
			if err != nil {
				return nil, nil, invalid("the form cannot be read")
			}
			body, err := io.ReadAll(part)
			if err != nil {
				return nil, nil, invalid("the form cannot be read")
			}
			if part.FileName() == "" {
				values.Set(part.FormName(), string(body))
				continue
			}
			files[part.FormName()] = file{part.FileName(), part.Header.Get("Content-Type"), body}
		}
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
