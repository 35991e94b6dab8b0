package cloudapitest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A posting is a request as a client in some language makes it.
type posting struct {
	method, path, contentType, body string
	header                          http.Header
}

// do sends a posting to a path that begins with the version, or with none.
func (p posting) do(t *testing.T, srv *cloudapitest.Server) answer {
	t.Helper()
	method := p.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+p.path, strings.NewReader(p.body))
	require.NoError(t, err)
	if p.header != nil {
		req.Header = p.header
	} else {
		req.Header.Set("Authorization", "Bearer "+srv.SystemToken().Reveal())
	}
	if p.contentType != "" {
		req.Header.Set("Content-Type", p.contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
	require.NoError(t, json.Unmarshal(b, &a), string(b))
	return a
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json; charset=utf-8"
)

// multipartOf writes a form with fields only.
func multipartOf(t *testing.T, fields url.Values) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name := range fields {
		require.NoError(t, w.WriteField(name, fields.Get(name)))
	}
	require.NoError(t, w.Close())
	return w.FormDataContentType(), b.String()
}

// One message in every form in which the Graph API takes it: the server hears the same each time.
func TestAMessageIsTakenInEveryFormOfAParameter(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	path := "/v25.0/" + string(phone.ID) + "/messages"
	fields := url.Values{
		"messaging_product": {"whatsapp"}, "to": {"+15550100142"}, "type": {"text"}, "text": {`{"body":"Hello"}`},
		"context": {`{"message_id":"wamid.1"}`},
	}
	kind, form := multipartOf(t, fields)
	tests := map[string]posting{
		"JSON": {path: path, contentType: jsonType, body: `{"messaging_product":"whatsapp","to":"+15550100142",` +
			`"type":"text","text":{"body":"Hello"},"context":{"message_id":"wamid.1"}}`},
		"form":      {path: path, contentType: formType, body: fields.Encode()},
		"multipart": {path: path, contentType: kind, body: form},
		"query":     {path: path + "?" + fields.Encode()},
		"query beside a body": {
			path: path + "?messaging_product=whatsapp&to=%2B15550100142&type=video", contentType: jsonType,
			body: `{"type":"text","text":{"body":"Hello"},"context":{"message_id":"wamid.1"}}`,
		},
		"JSON within strings, and a number for a string": {
			path: path, contentType: jsonType, body: `{"messaging_product":"whatsapp","to":15550100142,` +
				`"type":"text","text":"{\"body\":\"Hello\"}","context":"{\"message_id\":\"wamid.1\"}"}`,
		},
	}
	for name, tt := range tests {
		a := tt.do(t, srv)
		require.Equal(t, http.StatusOK, a.status, "%s: %s", name, a.body)
		sent := srv.Sent()
		m := sent[len(sent)-1]
		require.Equal(t, "Hello", m.Text(), name)
		require.Equal(t, "15550100142", m.To.WAID, name)
		require.EqualValues(t, "wamid.1", m.ReplyTo, name)
	}
}

func TestListsAndBooleansComeAsTextsToo(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	waba := srv.AddWABA(cloudapitest.WABA{})
	path := "/v25.0/" + string(waba.ID) + "/assigned_users"
	for _, tasks := range []string{`['MANAGE','DEVELOP']`, `["MANAGE","DEVELOP"]`, `MANAGE,DEVELOP`} {
		p := posting{path: path, contentType: formType, body: url.Values{"user": {"1"}, "tasks": {tasks}}.Encode()}
		require.Equal(t, http.StatusOK, p.do(t, srv).status, tasks)
		require.Contains(t, get(t, srv, "/"+string(waba.ID)+"/assigned_users?business=1").body, `["MANAGE","DEVELOP"]`)
	}
	p := posting{path: "/v25.0/" + string(waba.ID), contentType: formType,
		body: "is_enabled_for_insights=true&timezone_id=7"}
	require.Equal(t, http.StatusOK, p.do(t, srv).status)
	require.Contains(t, get(t, srv, "/"+string(waba.ID)+"?fields=is_enabled_for_insights,timezone_id").body,
		`"is_enabled_for_insights":true`)
}

func TestAWrongTypeIsNamedByItsWireName(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	waba := srv.AddWABA(cloudapitest.WABA{})
	a := ask(t, srv, srv.SystemToken(), "POST", "/"+string(waba.ID)+"/message_templates",
		`{"name":"a","language":"en_US","category":"UTILITY","components":{"type":"BODY"}}`)
	require.Equal(t, "(#100) Param components must be an array.", a.Error.Message)
	a = ask(t, srv, srv.SystemToken(), "POST", "/"+string(waba.ID)+"/message_templates", `{"name":`)
	require.Equal(t, graph.CodeInvalidParameter, a.Error.Code, "a body that is cut off")
	require.NotContains(t, a.body, "Go ")
}

func TestATokenIsTakenWhereverGraphTakesIt(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	waba := srv.AddWABA(cloudapitest.WABA{})
	token := srv.SystemToken().Reveal()
	none := func() http.Header { return http.Header{} }
	tests := map[string]struct {
		posting posting
		warns   bool
	}{
		"header": {posting{method: "GET", path: "/v25.0/me"}, false},
		"another spelling": {posting{method: "GET", path: "/v25.0/me",
			header: http.Header{"Authorization": {"bearer " + token}}}, false},
		"query": {posting{method: "GET", path: "/v25.0/me?access_token=" + token, header: none()}, true},
		"as Meta documents it": {posting{
			method: "GET", path: "/v25.0/debug_token?input_token=1&access_token=" + token, header: none(),
		}, false},
		"form": {posting{
			path: "/v25.0/" + string(waba.ID), contentType: formType, body: "name=a&access_token=" + token,
			header: none(),
		}, false},
		"JSON": {posting{
			path: "/v25.0/" + string(waba.ID), contentType: jsonType, body: `{"name":"a","access_token":"` + token +
				`"}`,
			header: none(),
		}, false},
	}
	for name, tt := range tests {
		a := tt.posting.do(t, srv)
		require.Equal(t, http.StatusOK, a.status, "%s: %s", name, a.body)
		log := srv.Requests()
		require.Equal(t, tt.warns, log[len(log)-1].Warning != "", name)
		require.NotContains(t, log[len(log)-1].Warning, token)
	}
	require.Equal(t, graph.CodePermissionMissing, posting{method: "GET", path: "/v25.0/me", header: none()}.do(t,
		srv).Error.Code)
}

func TestEveryVersionThatGraphAnswersIsAnswered(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	srv := newServer(t, cloudapitest.Config{Clock: func() time.Time { return start }})
	for path, want := range map[string]string{
		"/v25.0/me": "v25.0", "/v26.0/me": "v26.0", "/me": "v21.0", "/v2.8/me": "v21.0", "/v20.0/me": "v21.0",
	} {
		a := posting{method: "GET", path: path}.do(t, srv)
		require.Equal(t, http.StatusOK, a.status, "%s: %s", path, a.body)
		require.Equal(t, want, a.header.Get("Facebook-Api-Version"), path)
	}
	for _, path := range []string{"/v99.0/me", "/v25/me", "/v25.1/me"} {
		a := posting{method: "GET", path: path}.do(t, srv)
		require.Equal(t, http.StatusBadRequest, a.status, path)
		require.Equal(t, "Unknown path components: /me", a.Error.Message, path)
	}
	srv.Advance(60 * 24 * time.Hour)
	require.Equal(t, "v22.0", posting{method: "GET", path: "/v21.0/me"}.do(t, srv).header.Get("Facebook-Api-Version"),
		"v21.0 was retired in the meantime")
}

func TestDocumentedFieldsWithoutAValueAreLeftOut(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	a := get(t, srv, "/"+string(phone.ID)+"?fields=eligibility_for_api_business_global_search,username")
	require.JSONEq(t, `{"id":"`+string(phone.ID)+`"}`, a.body)
	a = get(t, srv, "/"+string(phone.WABAs[0])+
		"?fields=marketing_messages_lite_api_status,marketing_messages_onboarding_status,owner_business")
	require.JSONEq(t, `{"id":"`+string(phone.WABAs[0])+`"}`, a.body)
	a = get(t, srv, "/"+string(phone.ID)+"?fields=made_up")
	require.Contains(t, a.Error.Message, "nonexisting field (made_up)")
}

func TestAnEdgeCanBeReadAsAField(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	waba := srv.AddWABA(cloudapitest.WABA{Name: "Ovenbird"})
	for range 3 {
		srv.AddPhone(cloudapitest.Phone{WABAs: []graph.WABAID{waba.ID}})
	}
	a := get(t, srv, "/"+string(waba.ID)+"?fields=name,phone_numbers.limit(2){id,status},message_templates")
	var got struct {
		Name   string
		Phones struct {
			Data []struct{ ID, Status, VerifiedName string }
			Next struct{ Next string } `json:"paging"`
		} `json:"phone_numbers"`
		Templates json.RawMessage `json:"message_templates"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &got))
	require.Equal(t, "Ovenbird", got.Name)
	require.Len(t, got.Phones.Data, 2)
	require.Equal(t, "CONNECTED", got.Phones.Data[1].Status)
	require.Contains(t, got.Phones.Next.Next, "/phone_numbers?")
	require.Nil(t, got.Templates, "an edge without anything is left out")

	blind := srv.AddToken(cloudapitest.Token{WABAs: []graph.WABAID{waba.ID},
		Scopes: []string{cloudapitest.ScopeManagement}})
	for path, ok := range map[string]bool{"{id}": true, "{made_up}": false} {
		a := ask(t, srv, blind, "GET", "/"+string(waba.ID)+"?fields=phone_numbers"+path, "")
		require.Equal(t, ok, a.status == http.StatusOK, path)
	}
	a = get(t, srv, "/"+string(waba.OwnerBusinessID)+"/owned_whatsapp_business_accounts?fields=phone_numbers{id}")
	require.Equal(t, 3, strings.Count(a.body, `{"id":"`)-1, "in a listing as well: %s", a.body)
}

func TestTheNextPageCanBeFollowedAsItIs(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	waba := srv.AddWABA(cloudapitest.WABA{})
	for _, name := range []string{"a1", "a2", "a3", "b1"} {
		srv.AddTemplate(cloudapitest.Template{
			WABAID: waba.ID, TemplateCreateParams: cloudapi.TemplateCreateParams{Name: name, Language: "en_US"},
		})
	}
	type page struct {
		Data   []struct{ ID, Name string }
		Paging struct{ Next, Previous string }
	}
	follow := func(u string) (p page) {
		resp, err := http.Get(u)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&p))
		return p
	}
	var names []string
	u := srv.URL + "/v25.0/" + string(waba.ID) + "/message_templates?limit=1&fields=name&name=a&access_token=" +
		srv.SystemToken().Reveal()
	var last page
	for u != "" {
		last = follow(u)
		names = append(names, last.Data[0].Name)
		u = last.Paging.Next
	}
	require.Equal(t, []string{"a1", "a2", "a3"}, names, "the filter is in the URL as well")
	require.Equal(t, "a2", follow(last.Paging.Previous).Data[0].Name)
	log := srv.Requests()
	require.Empty(t, log[len(log)-1].Warning, "Meta's own URL holds the token")
}

func TestTheAppGetsATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	app := srv.App()
	form := url.Values{
		"client_id": {string(app.ID)}, "client_secret": {app.Secret.Reveal()}, "grant_type": {"client_credentials"},
	}
	for _, p := range []posting{
		{path: "/v25.0/oauth/access_token", contentType: formType, body: form.Encode(), header: http.Header{}},
		{method: "GET", path: "/oauth/access_token?" + form.Encode(), header: http.Header{}},
	} {
		a := p.do(t, srv)
		var got struct {
			Token graph.Secret `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &got), a.body)
		require.Equal(t, http.StatusOK,
			ask(t, srv, got.Token, "GET", "/"+string(app.ID)+"/subscriptions", "").status, a.body)
	}
	code := srv.AddCode(cloudapitest.AuthorizationCode{})
	form = url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret.Reveal()}, "code": {code.Reveal()}}
	a := posting{path: "/v25.0/oauth/access_token", contentType: formType, body: form.Encode(),
		header: http.Header{}}.do(t, srv)
	require.Equal(t, http.StatusOK, a.status, a.body)
}
