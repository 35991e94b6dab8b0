package signup_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func message(event, data string) string {
	return fmt.Sprintf(`{"type":"WA_EMBEDDED_SIGNUP","event":%q,"data":%s}`, event, data)
}

func TestEveryEventHasItsKind(t *testing.T) {
	t.Parallel()
	const ids = `{"phone_number_id":"400000000000001","waba_id":"500000000000001","business_id":"700000000000001"}`
	tests := map[string]struct {
		message string
		want    signup.SessionKind
	}{
		"finish":                      {message("FINISH", ids), signup.KindFinished},
		"finish without a number":     {message("FINISH_ONLY_WABA", ids), signup.KindFinishedNoNumber},
		"coexistence":                 {message(string(signup.EventFinishBusinessApp), ids), signup.KindCoexistence},
		"coexistence by login":        {message("FINISH", `{"is_wa_login_user":true}`), signup.KindCoexistence},
		"not coexistence by login":    {message("FINISH", `{"is_wa_login_user":false}`), signup.KindFinished},
		"app only":                    {message("FINISH_GRANT_ONLY_API_ACCESS", ids), signup.KindAppOnly},
		"moved":                       {message("FINISH_OBO_MIGRATION", ids), signup.KindOBOMigration},
		"invented later":              {message("FINISH_ON_THE_MOON", ids), signup.KindFinishedUnknown},
		"left":                        {message("CANCEL", `{"current_step":"PERMISSIONS"}`), signup.KindCanceled},
		"left without words":          {message("CANCEL", `{}`), signup.KindCanceled},
		"left coexistence":            {message("CANCEL_WHATSAPP_BUSINESS_APP_ONBOARDING", `{}`), signup.KindCanceled},
		"reported by code":            {message("CANCEL", `{"error_code":"524126"}`), signup.KindFailed},
		"reported by id":              {message("CANCEL", `{"error_id":"524126"}`), signup.KindFailed},
		"reported by message":         {message("CANCEL", `{"error_message":"Sorry"}`), signup.KindFailed},
		"reported by session":         {message("CANCEL", `{"session_id":"s1"}`), signup.KindFailed},
		"reported without sense":      {message("CANCEL", `{"error_code":"soon"}`), signup.KindFailed},
		"a time is no error":          {message("CANCEL", `{"timestamp":"1746041036"}`), signup.KindCanceled},
		"null is no error":            {message("CANCEL", `{"error_code":null}`), signup.KindCanceled},
		"error":                       {message("ERROR", `{"error_code":"3441041"}`), signup.KindFailed},
		"error without words":         {message("ERROR", `{}`), signup.KindFailed},
		"error of coexistence":        {message("ERROR_WHATSAPP_BUSINESS_APP_ONBOARDING", `{}`), signup.KindFailed},
		"finish with an error":        {message("FINISH", `{"waba_id":"1","error_code":"3441041"}`), signup.KindFailed},
		"finish with a session id":    {message("FINISH", `{"waba_id":"1","session_id":"s1"}`), signup.KindFinished},
		"neither end nor error":       {message("PROGRESS", `{}`), signup.KindUnknown},
		"no prefix, only a beginning": {message("FINISHING", `{}`), signup.KindUnknown},
		"event of another form":       {`{"type":"WA_EMBEDDED_SIGNUP","event":5,"data":{}}`, signup.KindUnknown},
		"no event, no data":           {`{"type":"WA_EMBEDDED_SIGNUP"}`, signup.KindUnknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, session(t, tt.message).Kind())
		})
	}
}

func TestSomeKindsAreFinished(t *testing.T) {
	t.Parallel()
	tests := map[signup.SessionKind]bool{
		signup.KindFinished:         true,
		signup.KindFinishedNoNumber: true,
		signup.KindCoexistence:      true,
		signup.KindAppOnly:          true,
		signup.KindOBOMigration:     true,
		signup.KindFinishedUnknown:  true,
		signup.KindCanceled:         false,
		signup.KindFailed:           false,
		signup.KindUnknown:          false,
	}
	for kind, want := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, kind.Finished())
		})
	}
}

func TestASessionIsReadCompletely(t *testing.T) {
	t.Parallel()
	s := session(t, `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","version":3,"data":{
		"phone_number_id":"400000000000001","waba_id":"500000000000001","business_id":"700000000000001",
		"ad_account_ids":["11"],"page_ids":["12","13"],"dataset_ids":["14"],"catalog_ids":["15"],
		"instagram_account_ids":["16"],
		"waba_ids":["500000000000001","500000000000002"],"is_wa_login_user":true}}`)
	require.Equal(t, &signup.SessionInfo{
		Event: signup.EventFinish, Version: "3", WABAID: wabaA, WABAs: []graph.WABAID{wabaA, wabaB},
		PhoneNumberID: phoneA, BusinessID: business,
		Assets: signup.Assets{
			AdAccounts: []string{"11"}, Pages: []string{"12", "13"}, Datasets: []string{"14"}, Catalogs: []string{"15"},
			InstagramAccounts: []string{"16"},
		},
		BusinessAppUser: true,
	}, s)
}

func TestAnErrorIsReadInAllItsForms(t *testing.T) {
	t.Parallel()
	want := &signup.SessionError{
		Code: 524126, Message: "Sorry", SessionID: "s1", At: graph.NewTimestamp(time.Unix(1746041036, 0)),
	}
	tests := map[string]string{
		"code":    `{"error_message":"Sorry","session_id":"s1","timestamp":"1746041036","error_code":"524126"}`,
		"id":      `{"error_message":"Sorry","session_id":"s1","timestamp":"1746041036","error_id":"524126"}`,
		"numbers": `{"error_message":"Sorry","session_id":"s1","timestamp":1746041036,"error_code":524126}`,
		"both": `{"error_message":"Sorry","session_id":"s1","timestamp":"1746041036","error_code":"524126",
			"error_id":"524126"}`,
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := session(t, message("CANCEL", data))
			require.Equal(t, want, s.Error)
			require.Empty(t, s.Members)
		})
	}
}

func TestASecondErrorCodeIsNotLost(t *testing.T) {
	t.Parallel()
	s := session(t, message("CANCEL", `{"error_code":"524126","error_id":"3441041"}`))
	require.Equal(t, graph.Code(524126), s.Error.Code)
	require.Equal(t, "data.error_id", s.Members[0].Path)
}

func TestTheVersionIsANumberAStringOrAbsent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`3`: "3", `"3"`: "3", `null`: "", `"v5"`: "v5"} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			s := session(t, `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","version":`+in+`}`)
			require.Equal(t, want, s.Version)
			require.Empty(t, s.Members)
		})
	}
}

func TestMessagesMayBeEncodedSeveralTimes(t *testing.T) {
	t.Parallel()
	want := session(t, finished(wabaA))
	text := finished(wabaA)
	for range 3 {
		b, err := json.Marshal(text)
		require.NoError(t, err)
		text = string(b)
		require.Equal(t, want, session(t, " "+text+"\n"))
	}
	b, err := json.Marshal(text)
	require.NoError(t, err)
	_, err = signup.ParseSessionInfo(b)
	require.ErrorIs(t, err, signup.ErrNotSessionInfo)
}

func TestOtherMessagesAreRefusedWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		``, ` `, `null`, `5`, `true`, `[]`, `{}`, `""`, `"{"`, `{"type":"OTHER"}`, `{"type":null}`,
		`{"Type":"WA_EMBEDDED_SIGNUP"}`, `{"type":["WA_EMBEDDED_SIGNUP"]}`,
		`cb=f1&origin=https%3A%2F%2Fapp.example.com&code=canary-code`,
		`"cb=f1&origin=https%3A%2F%2Fapp.example.com&code=canary-code"`, `{"type":"WA_EMBEDDED_SIGNUP",` +
			`"code":"canary-code"`,
		`{"type":"WA_EMBEDDED_SIGNUP"} canary-code`, message("FINISH", `"`+strings.Repeat("x", 1<<16)+`"`),
	} {
		s, err := signup.ParseSessionInfo([]byte(in))
		require.Nil(t, s)
		require.Equal(t, signup.ErrNotSessionInfo, err, "the error is always the same one, so that it repeats nothing")
	}
}

func TestIDsAreStringsOfDigits(t *testing.T) {
	t.Parallel()
	for name, id := range idsOf {
		for _, v := range []string{"1", "00", strings.Repeat("9", 32)} {
			t.Run(name+" "+v, func(t *testing.T) {
				t.Parallel()
				s := session(t, message("FINISH", `{"`+name+`":"`+v+`"}`))
				require.Equal(t, v, id(s))
				require.Empty(t, s.Members)
			})
		}
	}
}

// idsOf has the members of a message that are ids.
var idsOf = map[string]func(*signup.SessionInfo) string{
	"waba_id":         func(s *signup.SessionInfo) string { return string(s.WABAID) },
	"phone_number_id": func(s *signup.SessionInfo) string { return string(s.PhoneNumberID) },
	"business_id":     func(s *signup.SessionInfo) string { return string(s.BusinessID) },
}

// What was refused is there as it came, digit for digit, and says why.
func TestWhatIsNoIDStaysRaw(t *testing.T) {
	t.Parallel()
	const number, form, digits = "browser rounds", "not the documented form", "1 to 32 digits"
	tests := map[string]string{
		`500000000000001`: number, `9007199254740993`: number, `5e14`: number, `-1`: number,
		`["1"]`: form, `{"id":"1"}`: form, `true`: form,
		`""`: digits, `"` + strings.Repeat("9", 33) + `"`: digits, `"<WABA_ID>"`: digits, `"../me"`: digits,
		`"5 0"`: digits, `"５"`: digits, `"1\u0000"`: digits,
	}
	for name, id := range idsOf {
		for v, reason := range tests {
			t.Run(name+" "+v, func(t *testing.T) {
				t.Parallel()
				s := session(t, message("FINISH", `{"`+name+`":`+v+`}`))
				require.Empty(t, id(s))
				require.Len(t, s.Members, 1)
				require.Equal(t, "data."+name, s.Members[0].Path)
				require.Contains(t, s.Members[0].Reason, reason)
				require.JSONEq(t, v, string(s.Members[0].Value))
			})
		}
	}
}

func TestASingleAccountOfTheListIsTheAccount(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		want graph.WABAID
		kept int
	}{
		"one":              {`{"waba_ids":["1"]}`, "1", 0},
		"two":              {`{"waba_ids":["1","2"]}`, "", 0},
		"waba_id wins":     {`{"waba_id":"2","waba_ids":["1"]}`, "2", 0},
		"one good one bad": {`{"waba_ids":["1",2]}`, "1", 1},
		"no list":          {`{"waba_ids":"1"}`, "", 1},
		"empty":            {`{"waba_ids":[]}`, "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := session(t, message("FINISH", tt.data))
			require.Equal(t, tt.want, s.WABAID)
			require.Len(t, s.Members, tt.kept)
		})
	}
}

func TestUnknownMembersAreKept(t *testing.T) {
	t.Parallel()
	s := session(t, `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","later":[1],"data":{
		"waba_id":"1","waac_id":"2","WABA_ID":"3","current_step":7}}`)
	require.Equal(t, graph.WABAID("1"), s.WABAID, "names are exact")
	require.Equal(t, []signup.UnknownMember{
		{Path: "data.WABA_ID", Value: json.RawMessage(`"3"`)},
		{Path: "data.current_step", Value: json.RawMessage(`7`), Reason: "not the documented form"},
		{Path: "data.waac_id", Value: json.RawMessage(`"2"`)},
		{Path: "later", Value: json.RawMessage(`[1]`)},
	}, s.Members)
	s = session(t, `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","data":"soon"}`)
	require.Equal(t, []signup.UnknownMember{
		{Path: "data", Value: json.RawMessage(`"soon"`), Reason: "not the documented form"},
	}, s.Members)
}

func FuzzParseSession(f *testing.F) {
	for _, s := range []string{
		finished(wabaA), message("CANCEL", `{"current_step":"PERMISSIONS"}`),
		message("ERROR", `{"error_code":1,"error_id":"2","timestamp":"x"}`),
		message("FINISH", `{"waba_ids":["1",2],"is_wa_login_user":"yes"}`), `"cb=f1&code=canary"`, `"\"{}\""`,
		`{"type":"WA_EMBEDDED_SIGNUP"}`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := signup.ParseSessionInfo(b)
		if err != nil {
			require.Equal(t, signup.ErrNotSessionInfo, err)
			require.Nil(t, s)
			return
		}
		for _, id := range append(
			[]string{string(s.WABAID), string(s.PhoneNumberID), string(s.BusinessID)}, s.Assets.Pages...,
		) {
			require.LessOrEqual(t, len(id), 32)
			require.Equal(t, id, phonenumber.Digits(id), "an id can be put into a path")
		}
		_ = s.Kind()
		for _, m := range s.Members {
			require.True(t, json.Valid(m.Value))
		}
		// What was read once reads the same once more, wrapped in a string. Broken UTF-8 would not
		// get into the string as it is.
		wrapped, err := json.Marshal(string(b))
		require.NoError(t, err)
		if json.Valid(b) && utf8.Valid(b) && len(wrapped) < 1<<15 {
			if again, err := signup.ParseSessionInfo(wrapped); err == nil {
				require.Equal(t, s, again)
			}
		}
	})
}
