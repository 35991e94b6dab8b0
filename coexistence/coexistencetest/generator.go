package coexistencetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A History makes up past conversations, the same ones for the same seed and number: short talks of
// customers with a shop, in many languages, with emoji, pictures, voice messages and the rest.
type History struct {
	// Messages is how many messages there are. Zero for none.
	Messages int

	// Customers is how many people wrote them. If zero, one for every 40 messages.
	Customers int

	// Days is how far back they go. If zero, 180, which is all that WhatsApp shares.
	Days int

	// MediaPercent is how many of a hundred messages are files. If zero, 6; if negative, none.
	MediaPercent int

	// HiddenPercent is how many of a hundred customers hide their number and are known by user id
	// and username. If zero, 10; if negative, none.
	HiddenPercent int

	// SavedPercent is how many of a hundred customers are in the address book. If zero, 70; if
	// negative, none.
	SavedPercent int
}

// withDefaults fills in what the fields name as their defaults. A negative percentage stands for
// none, since zero stands for the default.
func (h History) withDefaults() History {
	percent := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return max(n, 0)
	}
	if h.Customers <= 0 {
		h.Customers = max(1, h.Messages/40)
	}
	h.Days = defaultTo(h.Days, 180)
	h.MediaPercent, h.HiddenPercent = percent(h.MediaPercent, 6), percent(h.HiddenPercent, 10)
	h.SavedPercent = percent(h.SavedPercent, 70)
	return h
}

// makeUpHistory fills the phone with conversations. It draws from a source of its own, so that what
// a test does before has no influence on them. The caller must hold the world's mu.
func (p *Phone) makeUpHistory(h History, now time.Time) {
	if h.Messages <= 0 {
		return
	}
	h = h.withDefaults()
	g := &generator{
		phone: p, history: h, now: now,
		rand: rand.New(rand.NewPCG(p.world.cfg.Seed, seedOf(p.digits()))),
	}
	for i := range h.Customers {
		g.addCustomer(i)
	}
	// The last talk may be cut short, so that the number of messages is exact.
	for written := 0; written < h.Messages; {
		written += g.talk(h.Messages - written)
	}
}

// seedOf turns a number into a seed (FNV-1a), so that two phones of a world have different pasts.
func seedOf(digits string) uint64 {
	var n uint64 = 14695981039346656037
	for i := range len(digits) {
		n = (n ^ uint64(digits[i])) * 1099511628211
	}
	return n
}

// A generator writes the past of one phone.
type generator struct {
	phone   *Phone
	history History
	now     time.Time
	rand    *rand.Rand

	// tongues has the language of each of customers, who writes in one alone.
	customers []*Customer
	tongues   []language
}

// chance is true in so many of a hundred cases.
func (g *generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

// addCustomer adds the i-th customer, and mostly a contact for it. Customers come in the kinds that
// a host has to tell apart: with and without a number, with and without a username, and from the
// time before user ids, when the number was all that named a person.
func (g *generator) addCustomer(i int) {
	tongue := languages[g.rand.IntN(len(languages))]
	name := tongue.names[g.rand.IntN(len(tongue.names))]
	cfg := CustomerConfig{
		// Area code 555 has no subscribers. The business's own numbers are below +1 555 011.
		PhoneNumber: fmt.Sprintf("+1 555 01%05d", 10000+i),
		Name:        name,
		UserID:      graph.UserID(fmt.Sprintf("US.%d", 1e18+g.rand.Int64N(8e18))),
	}
	switch {
	case g.chance(g.history.HiddenPercent):
		cfg.HideNumber = true
		cfg.Username = fmt.Sprintf("madeup%05d", i)
	case g.chance(10):
		cfg.OldStyle = true
	case g.chance(15):
		cfg.Username = fmt.Sprintf("madeup%05d", i)
	}
	c := g.phone.addCustomer(cfg)
	g.customers = append(g.customers, c)
	g.tongues = append(g.tongues, tongue)
	if g.chance(g.history.SavedPercent) {
		// A person without a number is saved under the user id and the username.
		first, _, _ := strings.Cut(name, " ")
		contact := Contact{FullName: name, FirstName: first, UserID: cfg.UserID, Username: cfg.Username}
		if !cfg.HideNumber {
			contact.PhoneNumber = cfg.PhoneNumber
		}
		if cfg.OldStyle {
			contact.UserID = ""
		}
		g.phone.contacts = append(g.phone.contacts, contact)
	}
}

// talk adds one short talk and returns how many messages it has, at most limit. Customer and shop
// take turns, seconds to minutes apart. Recent days see more talks, so that every phase of a
// history has messages.
func (g *generator) talk(limit int) int {
	i := g.rand.IntN(len(g.customers))
	c, tongue := g.customers[i], g.tongues[i]
	span := time.Duration(g.history.Days) * day
	// A power above 1 draws recent days more often.
	age := time.Duration(math.Pow(g.rand.Float64(), 1.6) * float64(span-time.Hour))
	n := min(2+g.rand.IntN(9), limit)
	var last *message
	for j := range n {
		outbound := j%2 == 1
		if g.chance(20) {
			outbound = !outbound
		}
		past := PastMessage{Outbound: outbound, Age: max(age, time.Second), Content: g.content(tongue, outbound, last)}
		if outbound {
			// Most are read, as most are in life; a few never left the phone.
			past.Status = []string{"read", "read", "read", "delivered", "delivered", "sent", "played", "pending",
				"error"}[g.rand.IntN(9)]
		}
		last = g.phone.remember(c, past, g.now)
		last.edited = last.content.editable() && g.chance(3)
		age -= time.Duration(5+g.rand.IntN(400)) * time.Second
	}
	return n
}

// content draws what is said: mostly text, at times with emoji, and now and then a file, a
// reaction, a place, a contact or a quotation. last is the message before, nil for the first of a
// talk.
func (g *generator) content(tongue language, outbound bool, last *message) Content {
	says := tongue.asks
	if outbound {
		says = tongue.answers
	}
	text := says[g.rand.IntN(len(says))]
	if strings.Contains(text, "%d") {
		text = fmt.Sprintf(text, 1+g.rand.IntN(90))
	}
	if g.chance(25) {
		text += " " + emoji[g.rand.IntN(len(emoji))]
	}
	switch {
	case g.chance(g.history.MediaPercent):
		return []Content{Image(text), Image(""), Video(text), Voice(), Document("invoice.pdf", ""),
			Sticker()}[g.rand.IntN(6)]
	case last != nil && last.content.Type != "reaction" && g.chance(3):
		return Reaction(last.id, emoji[g.rand.IntN(len(emoji))])
	case g.chance(1):
		return Location("Made-up shop", "1 Made-up Street", 37.4847, -122.1473)
	case g.chance(1):
		return ContactCard("Made-up supplier", "+1 555-010-0188")
	case last != nil && g.chance(8):
		return Text(text).Quoting(last.id)
	}
	return Text(text)
}
