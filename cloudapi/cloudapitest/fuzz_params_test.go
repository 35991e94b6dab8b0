package cloudapitest

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// A fuzzShape has members of every type that a route decodes.
type fuzzShape struct {
	Text    string                         `json:"text"`
	Number  int64                          `json:"number"`
	Ratio   float64                        `json:"ratio"`
	Flag    *bool                          `json:"flag"`
	Words   []string                       `json:"words"`
	Raw     json.RawMessage                `json:"raw"`
	Parts   []cloudapi.ComponentDefinition `json:"parts"`
	ByName  map[string]int                 `json:"by_name"`
	Members struct {
		Inner *fuzzShape `json:"inner"`
	} `json:"members"`
}

// Whatever a body and its Content-Type are, it is read or refused, and what a JSON body says in the
// types of Go is understood as encoding/json understands it.
func FuzzParams(f *testing.F) {
	for _, seed := range [][3]string{
		{"application/json", `{"text":5,"number":"6","flag":"1","words":"a,b","raw":"[1]","by_name":{"a":"1"}}`, "a=b"},
		{"application/json", `{"parts":"[{\"type\":\"BODY\"}]","members":"{\"inner\":{\"text\":true}}"}`, ""},
		{"application/x-www-form-urlencoded", "text=a&words=['x','y']&number=1e3&raw={", "text=b"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\na\r\n--x--",
			""},
		{"text/plain", `{"ratio":"0.5","members":{"inner":{"members":{"inner":null}}}}`, "%"}, {"", "null", ";"},
		{"application/json", `{"text":"a","number":1,"ratio":2,"flag":true,"words":["a"],"by_name":{"a":1}}`, ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, contentType, body, query string) {
		values, _ := url.ParseQuery(query)
		p, problem := readParams(contentType, values, []byte(body))
		for name, value := range p.values {
			require.True(t, json.Valid(value), name)
			_ = p.get(name)
		}
		var got fuzzShape
		refused := decode(p, &got)
		var want fuzzShape
		if contentType == "application/json" && query == "" && problem == nil && json.Unmarshal([]byte(body),
			&want) == nil {
			require.Nil(t, refused)
		}
		_ = p.members()
	})
}
