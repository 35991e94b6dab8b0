package coexistencetest

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A launch is what the page gives to FB.init and FB.login, as far as it changes what the popup
// does. What Meta ignores silently is ignored here too.
type launch struct {
	// AppID and Config name the app and its configuration. The app may be left out.
	AppID  graph.AppID
	Config string

	// Response and Override have to be "code" and true, or the page gets a token of the person in
	// place of a code.
	Response string
	Override bool

	// Feature asks for coexistence, and Version names the version of the flow. Both are in extras,
	// where Meta ignores what it does not know.
	Feature string
	Version string

	// Redirect is where the browser goes instead of closing a window.
	Redirect string
}

// featureCoexistence is the feature type that asks for coexistence. "coexistence" was its name
// until v3.
const featureCoexistence = "whatsapp_business_app_onboarding"

var errLaunch = errors.New("coexistencetest: the launch options are not the JSON that FB.login takes")

// parseLaunch reads {"init":{…},"login":{…}} or the options of FB.login alone.
func parseLaunch(b []byte) (launch, error) {
	type loginOptions struct {
		Config   string `json:"config_id"`
		Response string `json:"response_type"`
		Override bool   `json:"override_default_response_type"`
		Redirect string `json:"redirect_uri"`
		Extras   struct {
			Feature string `json:"featureType"`
			Version string `json:"version"`
		} `json:"extras"`
	}
	var v struct {
		Init struct {
			AppID graph.AppID `json:"appId"`
		} `json:"init"`
		Login *loginOptions `json:"login"`
		loginOptions
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return launch{}, errLaunch
	}
	login := v.loginOptions
	if v.Login != nil {
		login = *v.Login
	}
	if login.Config == "" {
		return launch{}, errors.New("coexistencetest: the launch options have no config_id")
	}
	return launch{
		AppID: v.Init.AppID, Config: login.Config, Response: login.Response, Override: login.Override,
		Feature: login.Extras.Feature, Version: login.Extras.Version, Redirect: login.Redirect,
	}, nil
}

// known reports whether the options name the configuration and the app of the world. Meta shows no
// reason if they do not.
func (l launch) known(w *World) bool {
	return l.Config == w.cfg.ConfigurationID && (l.AppID == "" || l.AppID == w.AppID())
}

// oldVersionsEnd is when versions 2 and 3 of Embedded Signup ended.
var oldVersionsEnd = time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC)

// asksForCoexistence decides between the coexistence flow and, silently, the one that adds an
// ordinary new number. That the ended versions fall back to the latter is announced; that they
// really do is assumed.
func (l launch) asksForCoexistence(now time.Time) bool {
	old := strings.HasPrefix(l.Version, "v2") || strings.HasPrefix(l.Version, "v3")
	return l.Feature == featureCoexistence && (!old || now.Before(oldVersionsEnd))
}
