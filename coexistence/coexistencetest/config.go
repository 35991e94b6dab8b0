package coexistencetest

import (
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Config configures a World. The zero Config is good for most tests.
type Config struct {
	// Seed decides everything that is left to chance: ids, generated conversations, the order of
	// deliveries. If zero, 1. [World.String] prints it.
	Seed uint64

	// Start is the time at which the world begins. From then on its clock runs like the real one,
	// and [World.Advance] moves it on. If zero, now: a host that compares with its own clock wants
	// that.
	Start time.Time

	// App is the Meta app of the host. Empty members are made up.
	App cloudapitest.App

	// VerifyToken is what the host's callback expects in the handshake. If empty, made up:
	// [World.VerifyToken].
	VerifyToken graph.Secret

	// ConfigurationID is the Facebook Login for Business configuration that the popup must be
	// opened with. If empty, made up: [World.ConfigurationID].
	ConfigurationID string

	// Session is what the popup tells the page that opened it. [SessionDocumented] if empty.
	Session SessionVariant

	// TokenLifetime is how long business tokens work. If zero, for ever; sixty days is Meta's other
	// choice. A token that has ended is refused with
	// [graph.CodeAccessTokenExpired].
	TokenLifetime time.Duration

	// HideTargets makes tokens keep silent about their accounts, as they do since June 2026 at
	// times.
	HideTargets bool

	// Fields are the webhook fields to which [World.DeliverTo] subscribes the app. If nil, the five
	// that coexistence needs: [coexistence.Fields].
	Fields []webhook.Field

	// Templates are those of every account that the popup makes, all approved. If nil, accounts
	// have none, and a message with a template is refused, as at Meta.
	Templates []cloudapi.TemplateCreateParams

	// ReviewAfter is how long after a template was made or edited it is approved. If zero, it waits
	// for [World.ReviewTemplate].
	ReviewAfter time.Duration

	// RefusedCallingCodes are country calling codes that the popup refuses, such as "234". If nil,
	// none, as it is since 2026-04-15.
	RefusedCallingCodes []string

	// PublicURL is the address by which others reach the Graph API and the popup, such as
	// "http://simulator:8088" in a network of containers. If empty, the one that it listens on.
	PublicURL string

	// KeepLast limits what is remembered to the latest messages, deliveries, suppressed deliveries
	// and Graph calls, so many of each, for a world that runs for days. What is older is gone from
	// chats too, with its file, and can be neither edited nor quoted; what a phone had before it
	// was added stays. If zero, everything is kept, which is what a test wants.
	KeepLast int

	// Network carries everything instead of the loopback interface: for bubbles of
	// testing/synctest, where the clock stands still while a goroutine waits for a socket. If nil,
	// loopback.
	Network *cloudapitest.Network

	// Delivery says how webhooks travel.
	Delivery DeliveryConfig

	// History says how past messages are cut up.
	History HistoryConfig

	// Graph says how the Graph API behaves, such as RequireProof. App, Seed, Clock and Network are
	// those of the world.
	Graph cloudapitest.Config
}

// A DeliveryConfig says how webhooks travel. The zero DeliveryConfig delivers each change once, in
// a POST of its own, four at a time.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
type DeliveryConfig struct {
	// Parallel is how many POSTs are under way at once. If zero, 4; Meta does not say how many it
	// has. 1 keeps the order of what happens.
	Parallel int

	// Batch is how many changes one POST may hold. If zero, 1. Meta documents up to 1000.
	Batch int

	// MaxBytes limits a POST that holds several changes. If zero, 3 MB, Meta's own limit.
	MaxBytes int

	// DuplicatesPercent is how many of a hundred POSTs are delivered again after they were
	// acknowledged.
	DuplicatesPercent int

	// Reorder is how many changes back in the queue the next POST may come from. If zero, 1: the
	// oldest is next.
	Reorder int

	// Delay is how long a change may take until it is delivered: each takes another time up to
	// that, so that later ones overtake it. If zero, none does.
	Delay time.Duration

	// LostAnswersPercent is how many of a hundred answers never arrive, so that the host has
	// handled the delivery and gets it again.
	LostAnswersPercent int

	// Timeout is how long the host may take to answer. If zero, 20 s, as Meta's calling pages have
	// it.
	Timeout time.Duration

	// Backoff is the pause before the first repeat, by the world's clock; each further one doubles,
	// up to MaxBackoff. If zero, 25 ms and 1 s. Meta's own pauses grow over seven days: 10 s and 12
	// h are like that, with [World.Advance] or in a bubble.
	Backoff, MaxBackoff time.Duration

	// MaxAttempts is how often a POST is tried before the world gives it up, GiveUpAfter for how
	// long. If zero, 30 times and seven days.
	MaxAttempts int
	GiveUpAfter time.Duration // of the world's time; if zero, seven days

	// Pace is a pause before every POST, for a demonstration that people watch.
	Pace time.Duration
}

// A HistoryConfig says how past messages are cut into webhooks. The zero HistoryConfig sends the
// chunks of three phases in random order, and an empty last one.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
type HistoryConfig struct {
	// ChunkSize is how many messages a chunk holds at most. If zero, 250. Meta's hold thousands.
	ChunkSize int

	// InOrder delivers chunks and media in the order of their numbers.
	InOrder bool

	// ContactBatch is how many contacts one webhook holds at most. If zero, 100.
	ContactBatch int

	// FullLast puts progress 100 into the last chunk that has messages, instead of an empty one
	// behind it.
	FullLast bool
}

// withDefaults fills in what the fields of Config and its parts name as their defaults. What
// belongs to the Graph API is filled in by package cloudapitest.
func (c Config) withDefaults() Config {
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.VerifyToken.IsZero() {
		c.VerifyToken = "made-up-verify-token"
	}
	if c.ConfigurationID == "" {
		c.ConfigurationID = "555010000000001"
	}
	if c.Session == "" {
		c.Session = SessionDocumented
	}
	if c.Fields == nil {
		c.Fields = coexistence.Fields()
	}
	// The pauses suit a test on a real clock: a delivery that fails is tried again while the test
	// waits.
	d := &c.Delivery
	d.Parallel = defaultTo(d.Parallel, 4)
	d.Batch = defaultTo(d.Batch, 1)
	d.Reorder = defaultTo(d.Reorder, 1)
	d.Timeout = defaultTo(d.Timeout, 20*time.Second)
	d.Backoff = defaultTo(d.Backoff, 25*time.Millisecond)
	d.MaxBackoff = defaultTo(d.MaxBackoff, time.Second)
	d.MaxAttempts = defaultTo(d.MaxAttempts, 30)
	d.GiveUpAfter = defaultTo(d.GiveUpAfter, 7*day)
	d.MaxBytes = defaultTo(d.MaxBytes, 3<<20)
	c.History.ChunkSize = defaultTo(c.History.ChunkSize, 250)
	c.History.ContactBatch = defaultTo(c.History.ContactBatch, 100)
	return c
}

// defaultTo returns otherwise for a value that is not set. Nothing here means anything below zero.
func defaultTo[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// String is what a failed test should print, to be played again.
func (c Config) String() string {
	d := c.Delivery
	return fmt.Sprintf("coexistencetest: seed %d, %d at a time, %d per POST, %d%% twice, reordered by %d, "+
		"late by up to %v, %d%% of the answers lost, %d messages per chunk",
		c.Seed, d.Parallel, d.Batch, d.DuplicatesPercent, d.Reorder,
		d.Delay, d.LostAnswersPercent, c.History.ChunkSize)
}
