package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A platform is Meta, or a simulator in its place.
type platform struct {
	app           cloudapi.Config
	configuration string       // of Facebook Login for Business
	verifyToken   graph.Secret // that the webhook answers the handshake with
	sdk           string       // where the page loads Meta's JavaScript SDK from; Meta's own if empty
	patience      time.Duration

	hint      string     // what to tell whoever started the program
	simulator *simulator // with which one can play, or nil
}

// newPlatform makes the platform that was asked for. The real one is described by the environment, with the names that examples/doctor
// uses:
//
//	META_APP_ID, META_APP_SECRET   of the app: App settings, Basic
//	META_CONFIGURATION_ID          of the login configuration: Facebook Login for Business, Configurations
//	WEBHOOK_VERIFY_TOKEN           a text of your choice, entered beside the callback URL https://…/webhook
//	META_GRAPH_VERSION             if not the default
//	META_GRAPH_URL, META_SDK_URL   of a simulator that is another program, such as examples/simulator -bare
//	SAAS_KEYS                      what tokens are sealed with: keys of 32 random bytes in base64, with commas between; a new one goes in front
func newPlatform(kind, url string) (*platform, error) {
	switch kind {
	case "sim":
		return newSimulator(url).platform(), nil
	case "real":
	default:
		return nil, fmt.Errorf(`-meta is "sim" or "real", not %q`, kind)
	}
	var errs []error
	need := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			errs = append(errs, fmt.Errorf("%s is not set; see the comment of newPlatform", name))
		}
		return v
	}
	p := &platform{
		app: cloudapi.Config{
			AppID: graph.AppID(need("META_APP_ID")), AppSecret: graph.Secret(need("META_APP_SECRET")),
			Version: os.Getenv("META_GRAPH_VERSION"), BaseURL: os.Getenv("META_GRAPH_URL"),
		},
		configuration: need("META_CONFIGURATION_ID"), verifyToken: graph.Secret(need("WEBHOOK_VERIFY_TOKEN")),
		sdk: os.Getenv("META_SDK_URL"), patience: time.Hour,
	}
	if p.app.BaseURL == "" {
		need("SAAS_KEYS") // a key in a folder is good for playing
	}
	return p, errors.Join(errs...)
}

// openKeys reads the keys of the environment. Without any, one is made and kept in a file, which is good for playing.
func openKeys(file string) (*signup.Keyring, error) {
	text := os.Getenv("SAAS_KEYS")
	if text == "" {
		made, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			made = []byte(base64.StdEncoding.EncodeToString(random(32)))
			err = os.WriteFile(file, made, 0o600)
		}
		if err != nil {
			return nil, err
		}
		text = string(made)
	}
	var keys [][]byte
	for part := range strings.SplitSeq(text, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil {
			return nil, errors.New("SAAS_KEYS is not base64, with commas between")
		}
		keys = append(keys, key)
	}
	return signup.NewCipher(keys...)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, or ends the program
	return b
}

// deliverTo tells the simulator where webhooks go. For the real one, that is entered in the app dashboard.
func (p *platform) deliverTo(url string) error {
	if p.simulator == nil {
		return nil
	}
	return p.simulator.world.DeliverTo(url)
}

func (p *platform) close() {
	if p.simulator != nil {
		p.simulator.world.Close()
	}
}
