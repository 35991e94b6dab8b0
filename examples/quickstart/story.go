package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A story plays everyone but the host: the business with its phone, its browser, its customers, and
// Meta.
type story struct {
	out    *os.File
	policy func(time.Time) eligibility.Policy
	world  *coexistencetest.World
	phone  *coexistencetest.Phone
	ada    *coexistencetest.Customer // an old customer, with a past in the history

	host   *host
	server *httptest.Server
	db     *sqlite.DB // of the host
	store  coexistence.Store
	dir    string
	number graph.PhoneNumberID // what Meta calls the number once it is connected
}

// newStory starts the simulator, and a host before it with a new database. The host's URL is what
// the callback URL is in the app dashboard; nothing else tells the two of each other. On an error
// what was started is stopped.
func newStory(
	ctx context.Context, out *os.File, seed uint64, messages int, policy func(time.Time) eligibility.Policy,
) (*story, error) {
	s := &story{out: out, policy: policy}
	s.world = coexistencetest.NewWorld(coexistencetest.Config{
		Seed: seed,
		// Meta delivers some things twice, out of order, and several at once. The host must not
		// notice: the inbox drops what was handled, and the tracker keeps what is newest.
		Delivery: coexistencetest.DeliveryConfig{
			DuplicatesPercent: 10, Reorder: 8, Batch: 2, Pace: 70 * time.Millisecond,
		},
		History: coexistencetest.HistoryConfig{ChunkSize: 60, InOrder: true},
	})
	s.phone = s.world.NewPhone(coexistencetest.PhoneConfig{
		PhoneNumber: "+1 555 010 0199", AppVersion: "2.24.17.79", Business: "Ovenbird Bakery",
		Conversations: []coexistencetest.PastConversation{pastWithAda()},
		History:       coexistencetest.History{Messages: messages},
	})
	s.ada = s.phone.Customer(adaNumber)

	var err error
	var keys *signup.Keyring
	if s.dir, err = os.MkdirTemp("", "quickstart"); err == nil {
		// A host has its keys from a secret manager: signup.ParseKeyring.
		keys, err = signup.NewKeyring([]byte("a made-up key of thirty-two bytes")[:32])
	}
	if err == nil {
		s.db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(s.dir, "whatsapp.db"), Keyring: keys})
	}
	if err == nil {
		s.store = s.db.Store()
		s.host, err = newHost(ctx, s.world.ClientConfig(), s.world.ConfigurationID(), s.world.VerifyToken(), keys, s.db,
			policy)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	// Meta would be told this URL, and the verify token, in the app dashboard.
	s.server = httptest.NewServer(&s.host.routes)
	if err := s.world.DeliverTo(s.server.URL + "/webhook"); err != nil {
		s.close()
		return nil, err
	}
	fmt.Fprintf(out, "One business, from the first check to the goodbye. Seed %d; everything runs on this machine.\n",
		seed)
	fmt.Fprintf(out, "  host  %s   simulated Meta  %s\n", s.server.URL, s.world.ClientConfig().BaseURL)
	return s, nil
}

// close stops the host first: what Meta still delivers then is refused, and the inbox has all that
// was acknowledged on the disk.
func (s *story) close() {
	if s.server != nil {
		s.server.Close()
	}
	if s.host != nil {
		// A host does the same on SIGTERM: what is being handled comes to its end.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.host.inbox.Shutdown(ctx); err != nil {
			fmt.Fprintln(s.out, "  the inbox was not closed:", err)
		}
	}
	if s.db != nil {
		if err := s.db.Close(); err != nil {
			fmt.Fprintln(s.out, "  the database was not closed:", err)
		}
	}
	s.world.Close()
	_ = os.RemoveAll(s.dir)
}

// arrive waits until all that Meta has sent is handled by the host, and so is what that led to: an
// answer of the bot brings statuses. It is over when a whole round brings nothing new.
func (s *story) arrive(ctx context.Context) error {
	for before := int64(-1); ; {
		err := errors.Join(s.world.WaitDelivered(ctx), s.host.inbox.WaitIdle(ctx), s.world.WaitDelivered(ctx))
		if err != nil {
			return err
		}
		m, err := s.host.inbox.Metrics(ctx)
		if err != nil {
			return err
		}
		if m.Depth() == 0 && m.Received == before {
			return nil
		}
		before = m.Received
	}
}

// say prints one line of the story, broken after 100 characters. What goes on is aligned with what
// was said.
func (s *story) say(format string, args ...any) {
	const width, indent = 100, "         "
	line := "  "
	for word := range strings.SplitSeq(fmt.Sprintf(format, args...), " ") {
		if n := utf8.RuneCountInString(line); n > width && word != "" {
			fmt.Fprintln(s.out, strings.TrimRight(line, " "))
			line = indent
		}
		line += word + " "
	}
	fmt.Fprintln(s.out, strings.TrimRight(line, " "))
}

// state reads what the host knows about the number.
func (s *story) state(ctx context.Context) (coexistence.Number, error) {
	return s.store.Number(ctx, s.number)
}

// post is what the page in the business's browser does: see signup.Flow.Handler for the requests. A
// host with a page of its own making calls the same.
func (s *story) post(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json") // without it the handler refuses, as it does forms
	resp, err := s.server.Client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: status %d: %s", path, resp.StatusCode, answer)
	}
	return json.Unmarshal(answer, into)
}

const adaNumber = "+1 555 010 0123"

// pastWithAda is a conversation from before the number was connected: the history brings it if the
// business agrees. Files of the last 14 days can be fetched; of older ones only a placeholder
// comes.
func pastWithAda() coexistencetest.PastConversation {
	const day = 24 * time.Hour
	return coexistencetest.PastConversation{
		With: coexistencetest.CustomerConfig{PhoneNumber: adaNumber, Name: "Ada", UserID: "US.1555010012300001"},
		Messages: []coexistencetest.PastMessage{
			{Age: 120 * day, Content: coexistencetest.Text("Do you bake rye bread?")},
			{Age: 120*day - time.Hour, Outbound: true, Content: coexistencetest.Text("Every Friday 🍞")},
			{Age: 40 * day, Outbound: true, Content: coexistencetest.Image("Our new oven")},
			{Age: 3 * day, Content: coexistencetest.Image("Your rye on my table")},
			{Age: 3*day - time.Minute, Outbound: true, Content: coexistencetest.Text("Beautiful! Thank you")},
		},
	}
}
