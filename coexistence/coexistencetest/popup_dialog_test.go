package coexistencetest_test

import (
	"encoding/json"
	"html"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A visitor is a browser without scripts.
type visitor struct {
	t     *testing.T
	world *coexistencetest.World
}

func newVisitor(t *testing.T) visitor {
	t.Helper()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	return visitor{t, world}
}

func (v visitor) get(path string) (status int, body string) {
	v.t.Helper()
	resp, err := http.Get(v.world.URL + path)
	require.NoError(v.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	return resp.StatusCode, string(b)
}

func (v visitor) post(path, contentType, body string) (int, string) {
	v.t.Helper()
	resp, err := http.Post(v.world.URL+path, contentType, strings.NewReader(body))
	require.NoError(v.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	return resp.StatusCode, string(b)
}

// dialog is the query that FB.login opens the popup with.
func (v visitor) dialog(more ...string) url.Values {
	q := url.Values{
		"client_id": {string(v.world.AppID())}, "config_id": {v.world.ConfigurationID()}, "response_type": {"code"},
		"display":                        {"popup"},
		"override_default_response_type": {"true"}, "origin": {"https://app.example.com"}, "cb": {"f1"},
		"extras": {`{"setup":{},"featureType":"whatsapp_business_app_onboarding"}`},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q
}

var popupID = regexp.MustCompile(`"id":"([0-9]+)"`)

// open opens a popup, and returns its address among the steps.
func (v visitor) open(more ...string) (path, page string) {
	v.t.Helper()
	status, page := v.get("/v25.0/dialog/oauth?" + v.dialog(more...).Encode())
	require.Equal(v.t, http.StatusOK, status, page)
	m := popupID.FindStringSubmatch(html.UnescapeString(page))
	require.NotNil(v.t, m, page)
	return "/popups/" + m[1], page
}

func (v visitor) step(path, name, value string) string {
	v.t.Helper()
	b, err := json.Marshal(map[string]string{"value": value})
	require.NoError(v.t, err)
	_, answer := v.post(path+"/"+name, "application/json", string(b))
	return answer
}

func TestTheDialogIsServedWhereMetaHasIt(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	for _, path := range []string{"/en_US/sdk.js", "/popups/dialog.js", "/popups/dialog.css"} {
		status, body := v.get(path)
		require.Equal(t, http.StatusOK, status, path)
		require.NotEmpty(t, body)
	}
	resp, err := http.Get(v.world.SDKURL())
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "*", resp.Header.Get("Access-Control-Allow-Origin"), "pages load it with crossorigin")
	require.Equal(t, v.world.URL+"/en_US/sdk.js", v.world.SDKURL())

	_, page := v.open("cb", `</script><script>alert(1)</script>`)
	require.NotContains(t, page, "<script>alert")
	for name, query := range map[string]url.Values{
		"no configuration": v.dialog("config_id", ""),
		"redirect to http": v.dialog("display", "page", "redirect_uri", "http://app.example.com"),
		"redirect nowhere": v.dialog("display", "page"),
	} {
		t.Run(name, func(t *testing.T) {
			status, _ := v.get("/v25.0/dialog/oauth?" + query.Encode())
			require.Equal(t, http.StatusBadRequest, status)
		})
	}
	_, page = v.open("config_id", "1")
	require.Contains(t, page, "Sorry, something went wrong.", "a wrong configuration opens all the same")
	_, page = v.open("extras", "no JSON")
	require.NotContains(t, page, "offers_existing_account", "without the feature type nothing offers coexistence")
}

func TestThePhoneAnswersOnItsPage(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{"share": "Your chats are shared", "keep": "Your chats are not shared",
		"refuse": "You did not connect"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			v := newVisitor(t)
			phone := v.world.NewPhone(coexistencetest.PhoneConfig{Business: "Ovenbird & Sons"})
			path, _ := v.open()
			status, _ := v.get(path + "/phone")
			require.Equal(t, http.StatusNotFound, status, "the phone was not asked yet")
			status, _ = v.get(path + "/qr.png")
			require.Equal(t, http.StatusNotFound, status)
			v.step(path, "existing", "")
			v.step(path, "number", phone.PhoneNumber())

			_, page := v.get(path + "/phone")
			require.Contains(t, page, phone.LastCode())
			require.Contains(t, page, "Ovenbird &amp; Sons")
			code, page := v.post(path+"/phone", "application/x-www-form-urlencoded", "answer="+answer)
			require.Equal(t, http.StatusOK, code)
			require.Contains(t, page, want)
			again, _ := v.post(path+"/phone", "application/x-www-form-urlencoded", "answer=maybe")
			require.Equal(t, http.StatusConflict, again)

			view := v.step(path, "code", phone.LastCode())
			if answer == "refuse" {
				require.Contains(t, view, `"phone_refused":true`)
				return
			}
			require.Contains(t, view, `"screen":"PERMISSIONS"`)
			require.Contains(t, v.step(path, "finish", ""), `"status":"connected"`)
			require.True(t, phone.Coexists())
		})
	}
}

func TestTheQRCodeIsAPicture(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	phone := v.world.NewPhone(coexistencetest.PhoneConfig{})
	path, _ := v.open()
	v.step(path, "existing", "")
	v.step(path, "number", phone.PhoneNumber())
	resp, err := http.Get(v.world.URL + path + "/qr.png")
	require.NoError(t, err)
	defer resp.Body.Close()
	picture, err := png.Decode(resp.Body)
	require.NoError(t, err)
	require.Greater(t, picture.Bounds().Dx(), 100)
}

// A code that came by redirect is exchanged with the redirect URI alone.
func TestACodeOfARedirectIsBoundToItsURI(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	phone := v.world.NewPhone(coexistencetest.PhoneConfig{})
	const back = "https://app.example.com/back"
	path, _ := v.open("display", "page", "redirect_uri", back, "state", "s")
	v.step(path, "existing", "")
	v.step(path, "number", phone.PhoneNumber())
	require.NoError(t, phone.Confirm(coexistencetest.HistoryShared))
	v.step(path, "code", phone.LastCode())
	var view struct {
		Result struct{ Code string } `json:"result"`
	}
	require.NoError(t, json.Unmarshal([]byte(v.step(path, "finish", "")), &view))
	client, err := cloudapi.NewClient(v.world.ClientConfig())
	require.NoError(t, err)
	exchange := cloudapi.CodeExchangeParams{Code: graph.Secret(view.Result.Code)}
	_, err = client.OAuth.Exchange(t.Context(), exchange)
	require.Error(t, err)
	exchange.RedirectURI = new(back)
	_, err = client.OAuth.Exchange(t.Context(), exchange)
	require.NoError(t, err)
}

func TestATextedCodeIsKnownByItsNumber(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	path, _ := v.open()
	require.Empty(t, v.world.TextedCode("+1 555 010 0177"))
	v.step(path, "new", "")
	v.step(path, "number", "+1 555 010 0177")
	code := v.world.TextedCode("+1 (555) 010-0177")
	require.Len(t, code, 6)
	require.Contains(t, v.step(path, "code", code), `"screen":"PERMISSIONS"`)
}
