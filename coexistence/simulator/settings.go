package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// settings are the flags. world has those that are settings of the world itself.
type settings struct {
	webhook, secret, verify  string
	listen, graph, publicURL string
	tls                      string
	number, version          string
	messages                 int
	seedFile                 string
	limits                   onOff
	world                    coexistencetest.Config
	bare                     bool
}

// An onOff is a flag with these two values.
type onOff bool

// String returns the value as it is given.
func (o *onOff) String() string {
	if *o {
		return "on"
	}
	return "off"
}

// Set reads a value.
func (o *onOff) Set(text string) error {
	if text != "on" && text != "off" {
		return fmt.Errorf("it is on or off, not %q", text)
	}
	*o = text == "on"
	return nil
}

// environment is what the variables of all flags begin with.
const environment = "SIMULATOR_"

// variable is the environment variable of a flag.
func variable(name string) string {
	return environment + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// parse reads the settings from the environment and then from the arguments, which win.
func parse(args []string, lookup func(string) (string, bool), usage io.Writer) (settings, error) {
	var s settings
	f := s.flags(usage)
	var wrong error
	f.VisitAll(func(fl *flag.Flag) {
		fl.Usage += " (" + variable(fl.Name) + ")"
		if value, ok := lookup(variable(fl.Name)); ok && wrong == nil {
			if err := fl.Value.Set(value); err != nil {
				wrong = fmt.Errorf("the value of %s cannot be used: %w", variable(fl.Name), err)
			}
		}
	})
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if wrong == nil && f.NArg() > 0 {
		wrong = fmt.Errorf("%q is no flag; all settings are flags", f.Arg(0))
	}
	if u, err := url.Parse(s.publicURL); s.publicURL != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		wrong = fmt.Errorf("-public-url %q is not a URL such as http://simulator:8088", s.publicURL)
	}
	return s, wrong
}

// flags are the flags, with their defaults.
func (s *settings) flags(usage io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("simulator", flag.ContinueOnError)
	f.SetOutput(usage)
	s.limits = true
	f.StringVar(&s.webhook, "webhook", "", "the `URL` of your host's webhook")
	f.StringVar(&s.secret, "app-secret", "made-up-app-secret", "what deliveries are signed with")
	f.StringVar(&s.verify, "verify-token", "made-up-verify-token", "what your host expects in the handshake")
	f.StringVar(&s.listen, "listen", "127.0.0.1:8089", "the `address` of the page and the control API")
	f.StringVar(&s.graph, "graph", "127.0.0.1:8088", "the `address` of the Graph API and the popup")
	f.StringVar(&s.publicURL, "public-url", "", "the `URL` by which others reach the Graph API, if not -graph")
	f.StringVar(&s.tls, "tls", "", "an `address` at which the Graph API and the popup speak TLS under Meta's names")
	f.StringVar(&s.number, "number", "+1 555-010-0199", "the number of the phone with the app")
	f.StringVar(&s.version, "app-version", "",
		"of the WhatsApp Business app; one below 2.24.17 cannot be connected")
	f.IntVar(&s.messages, "messages", 400, "how many past messages the phone holds")
	f.StringVar(&s.seedFile, "seed-file", "",
		"a `file` with phones, customers, messages and templates, in place of those of -number and -messages")
	f.BoolVar(&s.bare, "bare", false, "leave the code exchange and the subscription to your host, as Meta does")
	f.Var(&s.limits, "limits", "whether Meta's limits on sending hold, `on or off`")
	f.IntVar(&s.world.KeepLast, "keep", 5000,
		"how many messages, webhooks and Graph calls are remembered; 0 for all")
	f.Uint64Var(&s.world.Seed, "seed", 1, "decides ids and everything that is left to chance")
	d := &s.world.Delivery
	f.IntVar(&d.DuplicatesPercent, "duplicates", 0, "how many of a hundred deliveries come twice")
	f.IntVar(&d.Reorder, "reorder", 1, "how far deliveries may get out of order")
	f.IntVar(&d.Batch, "batch", 1, "how many changes a delivery may hold")
	f.IntVar(&d.LostAnswersPercent, "lost-answers", 0, "how many of a hundred answers of your host get lost")
	f.DurationVar(&d.Delay, "delay", 0, "how late deliveries may come")
	return f
}

// readSeed returns what is in the world at the start.
func (s settings) readSeed() (control.Seed, error) {
	if s.seedFile == "" {
		return control.DefaultSeed(s.number, s.version, s.messages), nil
	}
	b, err := os.ReadFile(s.seedFile)
	if err != nil {
		return control.Seed{}, err
	}
	seed, err := control.ParseSeed(b)
	if err != nil {
		return control.Seed{}, fmt.Errorf("%s: %w", s.seedFile, err)
	}
	return seed, nil
}

// newWorld makes the world of the settings, with the app subscribed to every field that something
// in the world causes. Deliveries that fail are tried again for hours, since a host is stopped and
// started while it is written.
func (s settings) newWorld(h *hall) func() (*coexistencetest.World, error) {
	cfg := s.world
	cfg.App = cloudapitest.App{Secret: graph.Secret(s.secret)}
	cfg.VerifyToken = graph.Secret(s.verify)
	cfg.PublicURL = s.publicURL
	cfg.Fields = append(coexistence.Fields(), coexistence.OptionalFields()...)
	cfg.Fields = append(cfg.Fields, webhook.FieldCalls, webhook.FieldMessageTemplateStatusUpdate,
		webhook.FieldMessageTemplateQualityUpdate, webhook.FieldMessageTemplateComponentsUpdate,
		webhook.FieldTemplateCategoryUpdate)
	cfg.Templates = []cloudapi.TemplateCreateParams{coexistencetest.HelloWorld()}
	cfg.Delivery.Backoff, cfg.Delivery.MaxBackoff, cfg.Delivery.MaxAttempts = time.Second, time.Hour, 1000
	cfg.Graph.EnforceLimits = bool(s.limits)
	return func() (*coexistencetest.World, error) {
		cfg := cfg
		cfg.Graph.Listener = h.listen()
		return coexistencetest.NewWorld(cfg), nil
	}
}

// reach returns the address of the page for people: one for all interfaces is shown with this
// machine's name.
func (s settings) reach(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
		if u, err := url.Parse(s.publicURL); s.publicURL != "" && err == nil {
			host = u.Hostname()
		}
	}
	return net.JoinHostPort(host, port)
}
