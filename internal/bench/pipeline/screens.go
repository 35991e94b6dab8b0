//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// fewMessages are what each screen is compared with.
	fewMessages = 10_000

	// screenRuns is how often each screen is shown.
	screenRuns = 41

	// fillBatch is how many messages are stored together.
	fillBatch = 1000
)

// A stocked database has messages in it: one in ten is with person 0, the others are spread over
// people who have 50 each. A tenth of the people have written something that is not read.
type stocked struct {
	*storage.DB

	messages, people int
	chat             []string // ids of conversations
	middle           coexistence.Cursor
	deep             coexistence.Cursor // of a conversation in the middle of the list
}

// A screen is what a page of a host asks for. r draws whose conversation it is.
type screen struct {
	what  string
	shown func(ctx context.Context, db *stocked, r *rand.Rand) error
}

// screens are what an inbox, a search field and a bot ask for: 30 conversations, 50 messages (those
// before, after and around one are in the middle of the long conversation), 20 people, 20 hits.
var screens = []screen{
	{"conversations, first page", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return listed(ctx, db, coexistence.ConversationListOptions{Limit: 30})
	}},
	{"conversations, deep down", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return listed(ctx, db, coexistence.ConversationListOptions{Limit: 30, After: db.deep})
	}},
	{"conversations, unread", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return listed(ctx, db, coexistence.ConversationListOptions{Limit: 30, Unread: true})
	}},
	{"messages, latest", func(ctx context.Context, db *stocked, r *rand.Rand) error {
		list, err := db.Store().ListMessages(ctx, tenantA, db.chat[r.IntN(len(db.chat))],
			coexistence.MessageListOptions{Limit: 50})
		return enough(len(list), 20, err)
	}},
	{"messages, before", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return paged(ctx, db, coexistence.MessageListOptions{Limit: 50, Before: db.middle})
	}},
	{"messages, after", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return paged(ctx, db, coexistence.MessageListOptions{Limit: 50, After: db.middle})
	}},
	{"messages, around", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return paged(ctx, db, coexistence.MessageListOptions{Limit: 50, Around: db.middle})
	}},
	{"one conversation", func(ctx context.Context, db *stocked, r *rand.Rand) error {
		_, err := db.Store().Conversation(ctx, tenantA, db.chat[r.IntN(len(db.chat))])
		return err
	}},
	{"people by prefix", func(ctx context.Context, db *stocked, r *rand.Rand) error {
		list, err := db.Store().FindPeople(ctx, tenantA, givenNames[r.IntN(len(givenNames))][:3], 20)
		return enough(len(list), 5, err)
	}},
	{"search, in 5 messages", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return sought(ctx, db, "heliotrope", 5)
	}},
	{"search, in every third", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return sought(ctx, db, "bread", 20)
	}},
}

// growing are screens whose cost is that of what they count, up to 1,000, or find, and is shown
// without a bar.
var growing = []screen{
	{"unread count, of a tenth", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		n, err := db.Store().CountUnread(ctx, tenantA)
		return enough(n.Conversations, min(db.people/10-1, coexistence.MaxListLimit), err)
	}},
	{"search, in one of a hundred", func(ctx context.Context, db *stocked, _ *rand.Rand) error {
		return sought(ctx, db, "sourdough", 20)
	}},
}

func listed(ctx context.Context, db *stocked, opts coexistence.ConversationListOptions) error {
	list, err := db.Store().ListConversations(ctx, tenantA, opts)
	return enough(len(list), 15, err)
}

func paged(ctx context.Context, db *stocked, opts coexistence.MessageListOptions) error {
	list, err := db.Store().ListMessages(ctx, tenantA, db.chat[0], opts)
	return enough(len(list), opts.Limit, err)
}

func sought(ctx context.Context, db *stocked, word string, want int) error {
	list, _, err := db.Store().SearchMessages(ctx, tenantA, word, "", 20)
	return enough(len(list), want, err)
}

// enough says that a screen shows less than it has to, so that no empty one is measured.
func enough(got, want int, err error) error {
	if err == nil && got < want {
		err = fmt.Errorf("a screen shows %d and not %d", got, want)
	}
	return err
}

// measureScreens shows each screen in turns out of two databases of each engine, one with few
// messages and one with o.screens. The quartile of the times counts: what disturbs a turn makes it
// longer.
func measureScreens(ctx context.Context, r *report.Report, list []*capacity, o options) (err error) {
	for _, c := range list {
		if err := c.measureScreens(ctx, r, o); err != nil {
			return err
		}
	}
	return nil
}

// measureScreens does so for one engine. The databases are there until the end, since their turns
// alternate.
func (c *capacity) measureScreens(ctx context.Context, r *report.Report, o options) (err error) {
	var both [2]*stocked
	for i, n := range []int{fewMessages, o.screens} {
		began := time.Now()
		opened, drop, err1 := c.fresh(ctx)
		if err1 != nil {
			return err1
		}
		defer func() { err = errors.Join(err, drop()) }()
		if both[i], err1 = stock(ctx, opened, n); err1 != nil {
			return err1
		}
		if _, err1 := opened.SQL().ExecContext(ctx, "ANALYZE"); err1 != nil {
			return err1
		}
		fmt.Printf("     %s: %d messages of %d people stored in %.0f s\n", c.name, n, both[i].people,
			time.Since(began).Seconds())
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i, s := range slices.Concat(screens, growing) {
		var times [2][]float64
		for range screenRuns {
			for j, db := range both {
				began := time.Now()
				if err := s.shown(ctx, db, rnd); err != nil {
					return fmt.Errorf("%s: %w", s.what, err)
				}
				times[j] = append(times[j], float64(time.Since(began).Microseconds())/1000)
			}
		}
		few, many := report.Quantile(times[0], 0.25), report.Quantile(times[1], 0.25)
		what := fmt.Sprintf("%s: %s, %.2f ms / %.2f ms", c.name, s.what, many, few)
		if i < len(screens) {
			r.AtMost("E5", what, many/few, 3, 1.5)
		} else {
			r.Info("E5", what, many/few)
		}
	}
	return nil
}

var givenNames = []string{"Ada", "Barbara", "Charles", "Dorothy", "Edsger", "Frances", "Grace", "Hedy", "Isaac", "Joan"}

// stock fills a database.
func stock(ctx context.Context, db *storage.DB, n int) (*stocked, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store(), Logger: logger})
	if err != nil {
		return nil, err
	}
	s := &stocked{DB: db, messages: n, people: n / 50}
	begin := time.Now().Add(-time.Duration(n) * time.Second).Truncate(time.Second)
	words := rand.NewZipf(rand.New(rand.NewPCG(3, 4)), 1.1, 10, 50_000)
	for first := 0; first < n && ctx.Err() == nil; first += fillBatch {
		var batch []webhook.Preparation
		for i := first; i < min(n, first+fillBatch); i++ {
			ev := stockedText(i, s.people, n, begin.Add(time.Duration(i)*time.Second), words)
			batch = append(batch, webhook.Preparation{Context: ctx, Event: ev})
		}
		tracker.Prepare(ctx, batch)
	}
	return s, s.find(ctx)
}

// stockedText is the i-th message.
func stockedText(i, people, n int, at time.Time, words *rand.Zipf) *webhook.IncomingMessage {
	who := 1 + i*7919%(people-1)
	if i%10 == 3 {
		who = 0
	}
	var said strings.Builder
	fmt.Fprintf(&said, "about %d", i%97)
	for range 8 {
		fmt.Fprintf(&said, " w%x", words.Uint64())
	}
	if i%3 == 0 {
		said.WriteString(" bread")
	}
	if i%100 == 0 {
		said.WriteString(" sourdough")
	}
	if i%(n/5) == 7 {
		said.WriteString(" heliotrope")
	}
	id := graph.MessageID(messageID(tenantA, i))
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: tenantA, At: at, ReceivedAt: at.Add(time.Second)},
		ID:        id, From: graph.Identity{WAID: fmt.Sprintf("1555%07d", who)},
		ProfileName: fmt.Sprintf("%s %x", givenNames[who%len(givenNames)], who),
		Content:     &webhook.Text{Body: said.String()},
	}
}

// find notes what the screens ask for, and reads nine of ten conversations.
func (s *stocked) find(ctx context.Context) error {
	store := s.Store()
	total, seen := 0, 0
	for c, err := range store.Conversations(ctx, tenantA) {
		if err != nil {
			return err
		}
		total += c.MessageCount
		s.chat = append(s.chat, c.ID)
		if c.Contact.Key == "15550000000" {
			s.chat[0], s.chat[seen] = c.ID, s.chat[0]
		}
		if seen++; seen == s.people/2 {
			s.deep = c.Cursor()
		}
		if seen%10 != 0 {
			if err := store.MarkRead(ctx, tenantA, c.ID, c.Cursor()); err != nil {
				return err
			}
		}
	}
	if total != s.messages || len(s.chat) != s.people {
		return fmt.Errorf("there are %d messages of %d people and not %d of %d", total, len(s.chat), s.messages,
			s.people)
	}
	i := 0
	for m, err := range store.Messages(ctx, tenantA, s.chat[0]) {
		if err != nil {
			return err
		}
		if i++; i == s.messages/20 {
			s.middle = m.Cursor()
			break
		}
	}
	return nil
}
