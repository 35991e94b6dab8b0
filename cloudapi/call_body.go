package cloudapi

import (
	"context"
	"net/url"
	"regexp"
)

// send makes a call with a JSON body. No error repeats what the body says.
func send[T any](ctx context.Context, c *Client, r request, body any) (*T, error) {
	b, err := encode(body)
	if err != nil {
		return nil, err
	}
	r.body = b
	r.sensitive = append(r.sensitive, bodyStrings(b)...)
	return call[T](ctx, c, r)
}

// do makes a call that has nothing to say but that it succeeded.
func do(ctx context.Context, c *Client, r request, body any) error {
	if body == nil {
		_, err := call[success](ctx, c, r)
		return err
	}
	_, err := send[success](ctx, c, r, body)
	return err
}

// post makes a call with a form, for old edges that take no JSON.
func post[T any](ctx context.Context, c *Client, r request, values url.Values) (*T, error) {
	r.upload = form(values)
	for _, list := range values {
		for _, s := range list {
			if !constantRe.MatchString(s) {
				r.sensitive = append(r.sensitive, s)
			}
		}
	}
	return call[T](ctx, c, r)
}

// constantRe matches values of Meta's own, such as "MARKETING". They tell nothing, and errors are
// made of them.
var constantRe = regexp.MustCompile(`^[A-Z_]+$`)

// bodyStrings returns the strings of a body that no error may repeat.
func bodyStrings(body []byte) []string {
	var list []string
	for _, s := range jsonStrings(body) {
		if !wireWords[s] && !constantRe.MatchString(s) && s != "whatsapp" {
			list = append(list, s)
		}
	}
	return list
}

// product is what many bodies begin with.
type product struct {
	Product string `json:"messaging_product"`
}

var whatsapp = product{"whatsapp"}

// fieldsOption asks for fields.
type fieldsOption struct {
	Fields []string `url:"fields,comma,omitempty"`
}
