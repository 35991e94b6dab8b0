package cloudapitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Whatever a program asks of any route, the answer is JSON, and a refusal says why.
func FuzzRoute(f *testing.F) {
	for i, rt := range routes {
		f.Add(uint8(i), "fields=id,name", `{"messaging_product":"whatsapp"}`, false)
		if rt.method == http.MethodPost {
			f.Add(uint8(i), "",
				`{"name":"a","subject":"b","action":"connect","participants":[{"user":"1"}],"join_requests":["1"]}`,
				false)
			f.Add(uint8(i), "", "name=a&code=b&tasks=['MANAGE']&user=1", true)
		}
	}
	f.Add(uint8(8), "fields=analytics.start(1).end(99999999999).granularity(DAY).dimensions([\"PHONE\"]),id{", "",
		false)
	f.Add(uint8(64), "start=1&end=2026-11-26&granularity=daily&template_ids=[1]&use_waba_timezone=true", "", false)
	f.Fuzz(func(t *testing.T, which uint8, query, body string, form bool) {
		srv := newServer(Config{})
		ids := populate(srv)
		rt := routes[int(which)%len(routes)]
		target := "/v25.0/" + strings.TrimPrefix(strings.NewReplacer(
			"{qr-code-id}", "4O4YGZEG3RIVE1", string(rt.node), ids[rt.node]).Replace(rt.template()), "/")
		r, err := http.NewRequest(rt.method, target, strings.NewReader(body))
		if err != nil {
			t.Skip("no path at all")
		}
		r.URL = &url.URL{Path: r.URL.Path, RawQuery: query}
		r.Header.Set("Authorization", "Bearer "+srv.SystemToken().Reveal())
		if rt.node == kindApp {
			r.Header.Set("Authorization", "Bearer "+srv.AppToken().Reveal())
		}
		if form {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		srv.serve(w, r)
		require.True(t, json.Valid(w.Body.Bytes()), "%s %s: %s", rt.method, rt.template(), w.Body.String())
		if w.Code >= 400 {
			require.Contains(t, w.Body.String(), `"error"`)
		}
	})
}

// populate gives a server one of everything, and returns their ids.
func populate(s *Server) map[kind]string {
	waba := s.AddWABA(WABA{})
	phone := s.AddPhone(Phone{CloudAPIOnly: true, WABAs: []graph.WABAID{waba.ID}})
	template := s.AddTemplate(Template{
		WABAID: waba.ID, TemplateCreateParams: cloudapi.TemplateCreateParams{Name: "a", Language: "en_US"},
	})
	ids := map[kind]string{
		kindPhone: string(phone.ID), kindWABA: string(waba.ID), kindBusiness: string(waba.OwnerBusinessID),
		kindApp:      string(s.app.ID),
		kindTemplate: string(template.ID), kindGroup: string(s.AddGroup(Group{PhoneNumberID: phone.ID}).ID),
		kindQR:     "4O4YGZEG3RIVE1",
		kindCredit: string(s.AddCreditLine(waba.OwnerBusinessID)),
		kindMedia:  string(s.AddMedia(Media{PhoneNumberID: phone.ID}).ID),
		kindFlow:   "510", kindTemplateGroup: "520", kindAllocation: "530", kindUpload: "upload:1",
		kindHistory: historyID(0),
	}
	s.AddCall(Call{PhoneNumberID: phone.ID})
	p, w := s.phone(phone.ID), s.waba(waba.ID)
	s.put(&object{id: "510", kind: kindFlow, waba: w, value: &flow{id: "510", name: "a"}})
	s.put(&object{
		id: "520", kind: kindTemplateGroup, waba: w,
		value: &templateGroup{id: "520", name: "a", templates: []graph.TemplateID{template.ID}},
	})
	s.put(&object{id: "530", kind: kindAllocation, value: &allocation{id: "530", business: waba.OwnerBusinessID}})
	s.put(&object{id: "qr:" + ids[kindQR], kind: kindQR, phone: p, value: &qrCode{Code: ids[kindQR]}})
	s.sent = append(s.sent, SentMessage{ID: "wamid.1", From: phone.ID, Type: "text", At: s.now()})
	w.insights = true
	return ids
}
