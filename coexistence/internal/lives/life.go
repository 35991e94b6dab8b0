package lives

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// An Outcome says what happened in a life.
type Outcome struct {
	Crashes, Deliveries, Attempts, Messages, Onboardings int

	// Log is what happened, a line for each step, and Relied what the simulator's part rests on.
	Log    []string
	Relied coexistencetest.EvidenceReport
}

// A life is one run.
type life struct {
	rand  *rand.Rand
	world *coexistencetest.World
	phone *coexistencetest.Phone
	host  *host
	out   Outcome

	customers []*customer
	ours      []*message // written on the phone, or sent by the host
	theirs    []*message
	known     map[graph.MessageID]*message
	book      map[string]*entry
	cycle     *cycle
	steps     int

	lastHistory, lastLoss time.Time
}

// A customer is one with what the host cannot know about them.
type customer struct {
	*coexistencetest.Customer
	number     string
	movedAlone bool // changed number while nobody heard
	moved      bool
}

// A message is one of which something happened that Chat does not tell.
type message struct {
	id       graph.MessageID
	customer *customer

	ghost          bool // 131060, and not resolved
	editHeard      bool // live
	editMissed     bool // after it was heard, and not heard itself
	revokeMissed   bool
	reactionMissed time.Time // the latest one
	mediaShared    bool      // history told what the file is
	registered     bool      // with Tracker.RecordSent
}

// An entry is a contact that was saved or removed, and whether the host was told.
type entry struct {
	contact coexistencetest.Contact
	removed bool
	told    bool
}

// A cycle is what became of the syncs of one onboarding.
type cycle struct {
	began, told time.Time // the signup, and when the tracker heard of it
	shares      bool
	answered    bool // the address book had something to tell when it was asked for
	straggling  bool // history of an earlier onboarding may still be under way
}

// Play plays the life of a seed to its end and compares. Open opens the host's database, at the
// beginning and after every crash; it is closed at the end. ctx and everything else belong to the
// bubble.
func Play(ctx context.Context, seed uint64, open func() (coexistence.Store, error)) (out Outcome, err error) {
	time.Sleep(time.Until(time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC))) // bubbles begin in 2000
	r := rand.New(rand.NewPCG(seed, 0x6c69766573))                                   //nolint:gosec // a seed has to bring back the same life
	network := new(cloudapitest.Network)
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	world := coexistencetest.NewWorld(coexistencetest.Config{
		Seed: seed, Network: network,
		Delivery: coexistencetest.DeliveryConfig{
			Parallel: pick(1, 1, 4), Batch: pick(1, 3, 20), DuplicatesPercent: pick(0, 10, 40), Reorder: pick(1, 5, 50), LostAnswersPercent: pick(0, 0, 10),
			Delay:   []time.Duration{0, 5 * time.Second, 3 * time.Minute, 4 * time.Hour}[r.IntN(4)],
			Backoff: 10 * time.Second, MaxBackoff: 2 * time.Hour, MaxAttempts: 200,
		},
		History: coexistencetest.HistoryConfig{ChunkSize: pick(1, 5, 40), ContactBatch: pick(1, 20), InOrder: r.IntN(4) == 0, FullLast: r.IntN(3) == 0},
	})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{
		History:       coexistencetest.History{Messages: pick(0, 3, 25, 60), Customers: 1 + r.IntN(6), MediaPercent: 20, Days: pick(5, 100, 180)},
		Conversations: old(r), SecondAccount: r.IntN(5) == 0,
	})
	l := &life{rand: r, world: world, phone: phone, known: map[graph.MessageID]*message{}, book: map[string]*entry{}}
	for _, c := range phone.Customers() {
		l.customers = append(l.customers, &customer{Customer: c, number: c.PhoneNumber()})
	}
	for _, c := range phone.Contacts() {
		l.book[key(c)] = &entry{contact: c}
	}
	l.host, err = newHost(world, network, open, rand.New(rand.NewPCG(seed, 0x686f7374))) //nolint:gosec // as above
	if err != nil {
		return l.out, err
	}
	defer func() { err = errors.Join(err, l.host.close()) }()
	defer func() {
		l.out.Crashes, _ = l.host.fate()
		l.out.Relied = world.Evidence()
		for _, d := range world.Deliveries() {
			l.out.Deliveries++
			l.out.Attempts += len(d.Attempts)
		}
		out = l.out
	}()
	for range 20 + r.IntN(40) {
		l.sleep()
		if err := l.step(ctx); err != nil {
			return l.out, err
		}
	}
	return l.out, l.end(ctx)
}

// old is a conversation with something in every corner of the history: at the limits of phases and
// media, and too old.
func old(r *rand.Rand) []coexistencetest.PastConversation {
	if r.IntN(3) == 0 {
		return nil
	}
	const day = 24 * time.Hour
	var past []coexistencetest.PastMessage
	for _, age := range []time.Duration{
		time.Minute, day - time.Hour, day + time.Hour, 13 * day, 15 * day, 89 * day, 91 * day, 170 * day, 181 * day, 400 * day,
	} {
		content := coexistencetest.Image("from the past")
		if r.IntN(2) == 0 {
			content = coexistencetest.Text("from the past")
		}
		past = append(past, coexistencetest.PastMessage{Age: age, Outbound: r.IntN(2) == 0, Content: content})
	}
	with := coexistencetest.CustomerConfig{PhoneNumber: "+52 1 55 5550 0123", Name: "Lucía Ejemplo"}
	return []coexistencetest.PastConversation{{With: with, Messages: past}}
}

// sleep lets seconds pass, mostly. Nothing happens twice in a second: Meta's times have no more.
func (l *life) sleep() {
	d := time.Second
	switch n := l.rand.IntN(100); {
	case n < 55:
		d += time.Duration(l.rand.IntN(90)) * time.Second
	case n < 82:
		d += time.Duration(l.rand.IntN(60)) * time.Minute
	case n < 97:
		d += time.Duration(l.rand.IntN(20)) * time.Hour
	default:
		d += time.Duration(l.rand.IntN(15*24)) * time.Hour
	}
	time.Sleep(d)
}

func (l *life) log(format string, args ...any) {
	l.out.Log = append(l.out.Log, time.Now().Format("01-02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// end lets everything arrive, lets the host do its jobs, and compares.
func (l *life) end(ctx context.Context) error {
	tracker, process := l.host.now()
	process.fuse(0, false)
	for range 3 { // a job may bring new deliveries, and a late delivery new work
		if err := l.world.WaitDelivered(ctx); err != nil {
			return err
		}
		time.Sleep(2 * time.Minute)
		tracker, process = l.host.now()
		if _, err := l.host.fate(); err != nil {
			return err
		}
		process.fuse(0, false)
		if err := l.work(ctx); err != nil {
			return err
		}
	}
	return l.compare(ctx, tracker)
}

func key(c coexistencetest.Contact) string {
	if c.UserID != "" {
		return string(c.UserID)
	}
	return phonenumber.Digits(c.PhoneNumber)
}
