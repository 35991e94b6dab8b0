package cloudapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// plainly reads body as encoding/json reads it into a T that has no say in it, and reports whether
// it could.
func plainly[T any](body []byte) (v T, ok bool) {
	if json.Unmarshal(body, &v) != nil {
		return *new(T), false
	}
	return v, true
}

// namedOnce reports whether no member of body has a name twice: what encoding/json makes of those
// depends on the type.
func namedOnce(body []byte) bool {
	if bytes.ContainsFunc(body, func(r rune) bool { return r > 0x7f }) || bytes.Contains(body, []byte(`\`)) {
		return false
	}
	tree, ok := plainly[any](bytes.ToLower(body)) // it takes letters of both cases for the same
	again, err := json.Marshal(tree)
	return ok && err == nil && bytes.Count(body, []byte(":")) == bytes.Count(again, []byte(":"))
}

// Meta writes some members in several shapes. Whatever comes instead of them, reading it does not
// panic; what comes in one of the shapes is there afterwards, and so is what stands beside it.
func FuzzShapes(f *testing.F) {
	for _, s := range []string{
		`null`, `true`, `false`, `"true"`, `"FALSE"`, `0`, `1`, `-1.5e3`, `""`, `"x"`, `[]`, `{}`, `[[]]`, `[null]`,
		`{"":null}`,
		`[["Alma","12345"],["Bruno","6"]]`, `["Alma","12345"]`, `"Alma"`, `[["Alma"],"12345"]`, `["Alma",5]`,
		`[[1]]`, `{"a":"b"}`,
		`"smb_message_echoes"`, `{"name":"history","version":"v25.0"}`, `{"name":"history"}`, `{"name":5}`,
		`["history"]`,
		`{"block_users":[{"input":"15550100123","wa_id":"15550100123"},{"user_id":"US.1"}]}`,
		`{"input":"15550100123","wa_id":"15550100123"}`,
		`{"wa_id":15550100123}`, `{"user_id":"US.1"}`, `{"block_users":[]}`, `{"block_users":null,"wa_id":"1"}`,
		`{"block_users":[{"wa_id":"1"}],"wa_id":"2"}`, `{"block_users":{}}`,
		`{"success":true}`, `{"success":"true"}`, `{"success":1}`, `{"success":null}`, `{"success":{}}`,
		`{"success":false}`,
		`{"data":[{"id":"1"},null,5],"paging":{"cursors":{"before":"b","after":"a"},"next":"https://example.com"}}`,
		`{"data":{"groups":[{"id":"1"}]}}`,
		`{"data":{}}`, `{"data":null}`, `{"data":"x"}`, `{"data":[],"paging":[]}`,
		`{"data":[],"paging":{"cursors":[]}}`, `{"data":{"groups":{}}}`,
		`{"cursors":{"after":"a"},"next":"n"}`, `{"cursors":{"after":7},"next":5}`, `{"cursors":null,"next":null}`,
		`{"cursors":"x","next":{}}`, `{"next":"n"}`,
		``, `{`, `[`, `"`, "\xff", `{"data":[`, ` [ "a" ] `,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 5000 { // which may nest as deep as encoding/json allows
			return
		}
		fuzzExamples(t, body)
		fuzzSuccess(t, body)
		fuzzPage(t, body)
		field, read := plainly[AppSubscriptionField](body)
		if name, ok := plainly[string](body); ok {
			require.True(t, read, "%s", body)
			require.Equal(t, AppSubscriptionField{Name: name}, field)
		} else {
			want, ok := plainly[struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			}](body)
			require.Equal(t, ok, read, "%s", body)
			if ok {
				require.Equal(t, AppSubscriptionField(want), field)
			}
		}
		entry, read := plainly[blockEntry](body)
		if want, ok := plainBlocked(body); ok {
			require.True(t, read, "%s", body)
			require.True(t, slices.Equal(want, entry.users), "%s became %v", body, entry.users)
		}
		if !json.Valid(body) {
			require.False(t, read, "%s", body)
		}
	})
}

// fuzzExamples reads samples of templates, even where they stand beside others.
func fuzzExamples(t *testing.T, body []byte) {
	rows, read := plainly[ExampleRows](body)
	want, ok := plainly[[][]string](body)
	if row, isRow := plainly[[]string](body); !ok && isRow {
		want, ok = [][]string{row}, true
	}
	if one, isText := plainly[string](body); !ok && isText {
		want, ok = [][]string{{one}}, true
	}
	require.Equal(t, ok, read, "%s", body)
	require.Equal(t, ExampleRows(want), rows, "%s", body)

	button, read := plainly[ButtonExample](body)
	list, ok := plainly[[]string](body)
	if !ok {
		// What is a number in one answer is a text in another.
		if tree, isJSON := plainly[any](body); isJSON {
			switch one := tree.(type) {
			case string:
				list, ok = []string{one}, true
			case float64, bool:
				list, ok = []string{string(bytes.TrimSpace(body))}, true
			}
		}
	}
	if ok {
		require.True(t, read, "%s", body)
		require.Equal(t, ButtonExample(list), button, "%s", body)
	}
	if !read || rows == nil {
		return
	}
	part, read := plainly[TemplateExample](fmt.Appendf(nil,
		`{"header_text":["before"],"body_text":%s,"header_handle":["behind"]}`, body))
	require.True(t, read, "%s", body)
	require.Equal(t,
		TemplateExample{HeaderText: part.HeaderText[:1], BodyText: rows, HeaderHandle: part.HeaderHandle[:1]}, part)
	require.Equal(t, "before", part.HeaderText[0])
	require.EqualValues(t, "behind", part.HeaderHandle[0])
}

func fuzzSuccess(t *testing.T, body []byte) {
	answer, read := plainly[success](body)
	require.Equal(t, json.Valid(body), read, "%s", body)
	if want, ok := plainly[bool](body); ok {
		require.Equal(t, want, bool(answer.ok), "%s", body)
	} else if want, ok := plainly[struct {
		Success bool `json:"success"`
	}](body); ok {
		require.Equal(t, want.Success, bool(answer.ok), "%s", body)
	} else if want, ok := plainly[struct {
		Success string `json:"success"`
	}](body); ok && (strings.EqualFold(want.Success, "true") || strings.EqualFold(want.Success, "false")) {
		require.Equal(t, strings.EqualFold(want.Success, "true"), bool(answer.ok), "%s", body)
	}
	require.Equal(t, bool(answer.ok), answer.incomplete() == "")
}

// plainBlocked returns the people in a list, or a single one, if all their members are texts.
func plainBlocked(body []byte) (people []BlockedUser, ok bool) {
	type person struct {
		Input  string `json:"input"`
		WAID   string `json:"wa_id"`
		UserID string `json:"user_id"`
	}
	if !namedOnce(body) {
		return nil, false
	}
	both, ok := plainly[struct {
		person
		Users []person `json:"block_users"`
	}](body)
	list := both.Users
	if list == nil && both.person != (person{}) {
		list = []person{both.person}
	}
	for _, p := range list {
		people = append(people, BlockedUser{p.Input, p.WAID, graph.UserID(p.UserID)})
	}
	return people, ok
}

// fuzzPage reads a page, and body in place of each of its members.
func fuzzPage(t *testing.T, body []byte) {
	type plainPaging struct {
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
		Next string `json:"next"`
	}
	p, read := plainly[page](body)
	if want, ok := plainly[struct {
		Data   []json.RawMessage `json:"data"`
		Paging plainPaging       `json:"paging"`
	}](body); ok && namedOnce(body) {
		require.True(t, read, "%s", body)
		require.Equal(t, want.Data, p.Data, "%s", body)
		require.Equal(t, paging{want.Paging.Cursors.After, want.Paging.Next != ""}, p.Paging, "%s", body)
	}
	if want, ok := plainly[struct {
		Data struct {
			Groups []json.RawMessage `json:"groups"`
		} `json:"data"`
	}](body); ok && read && namedOnce(body) && want.Data.Groups != nil {
		require.Equal(t, want.Data.Groups, p.Data, "%s", body)
	}
	if !json.Valid(body) {
		require.False(t, read, "%s", body)
		return
	}
	// Whatever is said about the next page, this one is not harmed, and the other way round.
	p, read = plainly[page](fmt.Appendf(nil, `{"data":[1,{"a":2}],"paging":%s}`, body))
	require.True(t, read, "%s", body)
	require.Equal(t, []json.RawMessage{[]byte(`1`), []byte(`{"a":2}`)}, p.Data, "%s", body)
	if want, ok := plainly[plainPaging](body); ok && namedOnce(body) {
		require.Equal(t, paging{want.Cursors.After, want.Next != ""}, p.Paging, "%s", body)
	}
	p, read = plainly[page](fmt.Appendf(nil, `{"data":%s,"paging":{"cursors":{"after":"a"},"next":"n"}}`, body))
	if want, ok := plainly[[]json.RawMessage](body); ok {
		require.True(t, read, "%s", body)
		require.Equal(t, want, p.Data, "%s", body)
	}
	if read {
		require.Equal(t, paging{"a", true}, p.Paging, "%s", body)
	}
}
