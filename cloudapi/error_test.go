package cloudapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// get reads a phone number from a server that answers in one way, without replays.
func get(t *testing.T, answer step) *cloudapi.Error {
	t.Helper()
	srv := serve(t, answer)
	_, err := srv.client(t, func(cfg *cloudapi.Config) { cfg.Retry.MaxAttempts = 1 }).
		Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
	return asError(t, err)
}

func TestErrorBodiesOfEveryShapeAreRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want cloudapi.Error // the members that the body decides
	}{
		"of Cloud API": {
			`{"error":{"message":"m","type":"OAuthException","code":130429,"error_subcode":2494055,` +
				`"is_transient":false,` +
				`"error_data":{"messaging_product":"whatsapp","details":"too fast"},"fbtrace_id":"AbC"}}`,
			cloudapi.Error{
				Message: "m", Type: "OAuthException", Code: 130429, Subcode: 2494055, Details: "too fast",
				TraceID: "AbC",
			},
		},
		"of a management call": {
			`{"error":{"message":"m","code":100,"error_subcode":2388077,"is_transient":true,` +
				`"error_user_title":"Title","error_user_msg":"Text"}}`,
			cloudapi.Error{
				Message: "m", Code: 100, Subcode: 2388077, Transient: true, UserTitle: "Title", UserMessage: "Text",
			},
		},
		"data is a string": {
			`{"error":{"code":100,"error_data":"why"}}`, cloudapi.Error{Code: 100, Details: "why"},
		},
		"data is JSON in a string": {
			`{"error":{"code":100,"error_data":"{\"details\":\"why\"}"}}`,
			cloudapi.Error{Code: 100, Details: "why"},
		},
		"data only begins like it": {
			`{"error":{"code":100,"error_data":"{why"}}`, cloudapi.Error{Code: 100, Details: "{why"},
		},
		"data without details": {
			`{"error":{"code":100,"error_data":{"blame_field_specs":[["x"]]}}}`, cloudapi.Error{Code: 100},
		},
		"data is null":   {`{"error":{"code":100,"error_data":null}}`, cloudapi.Error{Code: 100}},
		"data is a list": {`{"error":{"code":100,"error_data":[]}}`, cloudapi.Error{Code: 100}},
		"details is no string": {
			`{"error":{"code":100,"error_data":{"details":{"a":1}}}}`, cloudapi.Error{Code: 100},
		},
		"numbers in strings": {
			`{"error":{"code":"100","error_subcode":"33","is_transient":"true"}}`,
			cloudapi.Error{Code: 100, Subcode: 33, Transient: true},
		},
		"numbers with a fraction": {`{"error":{"code":100.0,"error_subcode":1.5}}`, cloudapi.Error{Code: 100}},
		"seven digits as code":    {`{"error":{"code":2593107}}`, cloudapi.Error{Code: 2593107}},
		"a subcode alone":         {`{"error":{"error_subcode":2593107}}`, cloudapi.Error{Subcode: 2593107}},
		"members of another type": {
			`{"error":{"code":100,"message":{"a":1},"type":7,"fbtrace_id":[]}}`,
			cloudapi.Error{Code: 100, Type: "7"},
		},
		"error is nothing but text": {`{"error":"invalid_request","error_description":"d"}`, cloudapi.Error{}},
		"an empty object":           {`{}`, cloudapi.Error{}},
		"a list":                    {`[1,2]`, cloudapi.Error{}},
		"nothing":                   {``, cloudapi.Error{}},
		"a page":                    {`<!DOCTYPE html><html>`, cloudapi.Error{}},
		"garbage":                   {"\x00\xff{", cloudapi.Error{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := get(t, reply(400, tt.body, "X-Fb-Trace-Id", "Aheader"))
			want := tt.want
			want.Method, want.PathTemplate, want.StatusCode = "GET", "/{phone-number-id}", 400
			if want.TraceID == "" {
				want.TraceID = "Aheader"
			}
			got := cloudapi.Error{
				Method: e.Method, PathTemplate: e.PathTemplate, StatusCode: e.StatusCode, Code: e.Code,
				Subcode: e.Subcode,
				Type:    e.Type, Message: e.Message, Details: e.Details, UserTitle: e.UserTitle,
				UserMessage: e.UserMessage,
				TraceID:     e.TraceID, Transient: e.Transient,
			}
			require.Equal(t, want, got)
		})
	}
}

func TestErrorMatchesCodeSubcodeAndClass(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code, subcode string
		is, isNot     []error
	}{
		"a code": {
			"131047", "", []error{graph.CodeReengagementMessage, graph.ErrWindowClosed},
			[]error{graph.ErrThrottled},
		},
		"a pair": {
			"100", "33", []error{graph.CodeInvalidParameter, graph.ErrAccessLost},
			[]error{graph.CodePhoneNumberDeleted},
		},
		"seven digits below": {
			"4", "2593107", []error{graph.CodeSyncLimitExceeded, graph.ErrSync, graph.CodeAppRateLimit},
			[]error{graph.ErrThrottled},
		},
		"seven digits as one": {
			"2593107", "", []error{graph.CodeSyncLimitExceeded, graph.ErrSync}, []error{graph.ErrThrottled},
		},
		"code 0":             {"0", "", []error{graph.CodeAuthException, graph.ErrAuth}, []error{graph.ErrThrottled}},
		"a range":            {"230", "", []error{graph.ErrPermission}, nil},
		"a code of tomorrow": {"999999", "", []error{graph.Code(999999)}, []error{graph.ErrTemporary}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := get(t, reply(400, graphError(tt.code, tt.subcode)))
			for _, target := range tt.is {
				require.ErrorIs(t, e, target)
			}
			for _, target := range tt.isNot {
				require.NotErrorIs(t, e, target)
			}
		})
	}
}

// 0 is a code of Meta's, and must not be found where there is none.
func TestErrorWithoutCodeMatchesNoCode(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]step{
		"a page": reply(502, "<html>"), "dropped": drop, "no code": reply(400, `{"error":{"message":"m"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := get(t, answer)
			require.NotErrorIs(t, e, graph.CodeAuthException)
			require.NotErrorIs(t, e, graph.ErrAuth)
		})
	}
}

func TestErrorMadeByAHostMatches(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, &cloudapi.Error{Code: graph.CodePairRateLimitHit}, graph.ErrThrottled)
	require.NotErrorIs(t, &cloudapi.Error{}, graph.ErrAuth)
}

func TestErrorTellsWhereWhatAndWhatToDo(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, answer step) error {
		t.Helper()
		srv := serve(t, answer)
		_, err := srv.client(t, func(cfg *cloudapi.Config) { cfg.Retry.MaxAttempts = 1 }).
			Messages.Send(t.Context(), phoneID, text())
		return err
	}
	const where = "cloudapi: POST /{phone-number-id}/messages: "
	const doubt = " (it may have been done all the same: look before you repeat it)"
	known, _ := graph.Lookup(graph.CodeReengagementMessage, 0)
	refused := "code 131047 (" + known.Title + "): " + known.Advice
	t.Run("a refusal leaves no doubt", func(t *testing.T) {
		t.Parallel()
		require.EqualError(t, send(t, reply(400, graphError("131047", ""))), where+refused)
	})
	doubtful := map[string]struct {
		answer step
		what   string
	}{
		"unknown": {
			reply(400, graphError("131999", "7")),
			"code 131999/7: not a code known here; see Details and Meta's page of error codes",
		},
		"a page": {
			reply(502, "<html>"),
			"HTTP status 502, and the answer is a page of HTML or XML, which comes from a proxy or an edge server",
		},
		"nothing":    {reply(500, ""), "HTTP status 500, and the answer is empty"},
		"garbage":    {reply(500, "oops"), "HTTP status 500, and the answer is not JSON"},
		"other JSON": {reply(404, "{}"), "HTTP status 404, and the answer is JSON without an error of Meta's"},
		"redirect": {
			reply(301, "", "Location", "/x"),
			"the answer is a redirect, which a Graph call never is; check Config.BaseURL and proxies",
		},
		"no code": {
			reply(400, `{"error":{}}`), "Meta answers with an error that has no code, and HTTP status 400",
		},
		"other shape": {
			reply(200, `{"messages":[{"id":{}}]}`), "the answer has another shape than documented",
		},
		"half": {half(`{"mess`), "the answer broke off: unexpected EOF"},
	}
	for name, tt := range doubtful {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.EqualError(t, send(t, tt.answer), where+tt.what+doubt)
		})
	}
}

func TestBrokenConnectionKeepsItsCause(t *testing.T) {
	t.Parallel()
	e := get(t, half(`{"id":`))
	require.ErrorIs(t, e, io.ErrUnexpectedEOF)
	require.Equal(t, 200, e.StatusCode)
}

func TestAnswerThatDoesNotEndIsCutOff(t *testing.T) {
	t.Parallel()
	e := get(t, reply(200, `{"id":"`+strings.Repeat("x", 17<<20)+`"}`))
	require.ErrorContains(t, e, "larger than 16 MiB")
}

func TestListsOfProblemsMatchErrInvalid(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, sentBody))
	_, err := srv.client(t).Messages.Send(t.Context(), "", cloudapi.Message{})
	require.ErrorIs(t, err, cloudapi.ErrValidation)
	for _, problem := range []string{"phone number id", "recipient", "Content"} {
		require.ErrorContains(t, err, problem)
	}
	require.Empty(t, srv.seen())
	_, ok := errors.AsType[*cloudapi.Error](err)
	require.False(t, ok, "nothing was called, so there is no call that did not succeed")
}

func TestErrorPrintsAsJSONWithoutItsCause(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(get(t, reply(400, graphError("100", "33"))))
	require.NoError(t, err)
	require.Contains(t, string(b), `"Subcode":33`)
}
