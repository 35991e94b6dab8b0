package modeltest

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

// An Outcome says what happened in a run.
type Outcome struct {
	// Attempts are the POSTs that Deliveries took. Messages counts those that were compared, Shared
	// those that share their second with one above them, and Ordered the pairs of such whose order
	// was told.
	Crashes, Deliveries, Attempts, Messages, Shared, Ordered, Onboardings int

	// Log is what happened, a line for each step, and Relied what the simulator's part rests on.
	Log    []string
	Relied coexistencetest.EvidenceReport
}

// A run is the life of one number under one seed: the system under test (host), what it is tested
// against (phone), and the model, which is what the host can know of the phone.
type run struct {
	rand  *rand.Rand
	world *coexistencetest.World
	phone *coexistencetest.Phone
	host  *host
	out   Outcome

	// The model. ours and theirs are the messages that may still be changed: those written on the
	// phone or sent by the host, and those of customers. book is by the contact's key.
	customers []*customer
	ours      []*message
	theirs    []*message
	known     map[graph.MessageID]*message
	book      map[string]*entry
	cycle     *cycle
	steps     int // also makes texts and numbers differ

	// lastHistory is when a history was last asked for: for two days its chunks may still arrive in
	// the next cycle. lastLoss is when the number last ended: a tracker that is told of the first
	// signup only after that cannot know of the end.
	lastHistory, lastLoss time.Time
}

// A customer is a customer of the simulator with what the host cannot know about them.
type customer struct {
	*coexistencetest.Customer

	// number is the first one, which the address book goes on to name.
	number string

	// moved is true after a change of number. If movedAlone, the host was not told of it, because
	// the business's number did not coexist: what was said before and after stays apart.
	moved, movedAlone bool
}

// A message is the model's record of a message: what happened to it that the phone's chat does not
// tell.
type message struct {
	id       graph.MessageID
	customer *customer

	// unavailable is true as long as the host has only the notice with code 131060.
	unavailable bool

	// editHeard is true if the host was told of an edit, live. editMissed is true if it knew the
	// message and was not told of a later edit; then the text it shows is an older one.
	editHeard, editMissed bool

	// revokeMissed is true if it was not told that the message was deleted. reactionMissed is when
	// the latest reaction was made of which it was not told.
	revokeMissed   bool
	reactionMissed time.Time

	// mediaShared is true if a history told what the file is.
	mediaShared bool

	// registered is true if the host sent it and lived to call Tracker.RecordSent.
	registered bool
}

// An entry is the model's record of a contact: saved or removed, and whether the host was told of
// that last change.
type entry struct {
	contact coexistencetest.Contact
	removed bool
	told    bool
}

// A cycle is what became of the syncs of one onboarding. Where several of these times are close,
// the host cannot tell to which onboarding something belongs, and compare is lenient there.
type cycle struct {
	began, told time.Time // the signup, and when the tracker was told
	shares      bool      // the business shares its history
	answered    bool      // the address book had something to tell when it was asked for
	straggling  bool      // history of an earlier onboarding may still be under way
}

// Run runs the model test of a seed to its end and returns every difference between the host and
// the model. open opens the host's database, at the beginning and after every crash; it is closed
// at the end. ctx and everything else belong to the bubble of testing/synctest that the caller has
// made. The same seed makes the same steps; what several goroutines do at the same
// moment can still differ.
func Run(ctx context.Context, seed uint64, open func() (coexistence.Store, error)) (out Outcome, err error) {
	time.Sleep(time.Until(time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC))) // bubbles begin in 2000
	random := rand.New(rand.NewPCG(seed, 0x6c69766573))
	network := new(cloudapitest.Network)
	world := newWorld(seed, network, random)
	defer world.Close()
	r := newRun(world, random)
	r.host, err = newHost(world, network, open, rand.New(rand.NewPCG(seed, 0x686f7374)))
	if err != nil {
		return r.out, err
	}
	// The outcome is filled in on every way out, so that a run that failed can be read.
	defer func() { err = errors.Join(err, r.host.close()) }()
	defer func() {
		r.out.Crashes, _ = r.host.crashReport()
		r.out.Relied = world.Evidence()
		for _, d := range world.Deliveries() {
			r.out.Deliveries++
			r.out.Attempts += len(d.Attempts)
		}
		out = r.out
	}()
	for range 20 + random.IntN(40) {
		r.pause()
		if err := r.step(ctx); err != nil {
			return r.out, err
		}
	}
	return r.out, r.finish(ctx)
}

// newWorld draws how webhooks travel: in batches, twice, late, out of order, with answers lost, and
// how a history is cut. Two thirds of the worlds deliver one POST at a time, the rest four, because
// each hides mistakes that the other shows.
func newWorld(seed uint64, network *cloudapitest.Network, random *rand.Rand) *coexistencetest.World {
	pick := func(n ...int) int { return n[random.IntN(len(n))] }
	return coexistencetest.NewWorld(coexistencetest.Config{
		Seed: seed, Network: network,
		Delivery: coexistencetest.DeliveryConfig{
			Parallel: pick(1, 1, 4), Batch: pick(1, 3, 20), DuplicatesPercent: pick(0, 10, 40), Reorder: pick(1, 5, 50),
			LostAnswersPercent: pick(0, 0, 10),
			Delay:              []time.Duration{0, 5 * time.Second, 3 * time.Minute, 4 * time.Hour}[random.IntN(4)],
			Backoff:            10 * time.Second, MaxBackoff: 2 * time.Hour, MaxAttempts: 200,
		},
		History: coexistencetest.HistoryConfig{
			ChunkSize: pick(1, 5, 40), ContactBatch: pick(1, 20), InOrder: random.IntN(4) == 0,
			FullLast: random.IntN(3) == 0,
		},
	})
}

// newRun draws a phone with a past, and a model of it. The past is told by a history alone, so the
// model begins without messages and with an address book that the host has not been told of.
func newRun(world *coexistencetest.World, random *rand.Rand) *run {
	pick := func(n ...int) int { return n[random.IntN(len(n))] }
	phone := world.NewPhone(coexistencetest.PhoneConfig{
		History: coexistencetest.History{
			Messages: pick(0, 3, 25, 60), Customers: 1 + random.IntN(6), MediaPercent: 20, Days: pick(5, 100, 180),
		},
		Conversations: boundaryConversation(random), SecondAccount: random.IntN(5) == 0,
	})
	r := &run{
		rand: random, world: world, phone: phone,
		known: map[graph.MessageID]*message{}, book: map[string]*entry{},
	}
	for _, c := range phone.Customers() {
		r.customers = append(r.customers, &customer{Customer: c, number: c.PhoneNumber()})
	}
	for _, c := range phone.Contacts() {
		r.book[key(c)] = &entry{contact: c}
	}
	return r
}

// boundaryConversation is a conversation with messages on both sides of every limit of a history:
// of its phases, of its media, and of its 180 days. The customer has a Mexican number, which
// WhatsApp knows in two spellings.
func boundaryConversation(random *rand.Rand) []coexistencetest.PastConversation {
	if random.IntN(3) == 0 {
		return nil
	}
	// Phases of a history end at one day and at 90 days, media at 14, and all of it at 180.
	const day = 24 * time.Hour
	var past []coexistencetest.PastMessage
	for _, age := range []time.Duration{
		time.Minute, day - time.Hour, day + time.Hour, 13 * day, 15 * day, 89 * day, 91 * day, 170 * day, 181 * day,
		400 * day,
	} {
		content := coexistencetest.Image("from the past")
		if random.IntN(2) == 0 {
			content = coexistencetest.Text("from the past")
		}
		past = append(past, coexistencetest.PastMessage{Age: age, Outbound: random.IntN(2) == 0, Content: content})
	}
	with := coexistencetest.CustomerConfig{PhoneNumber: "+52 1 55 5550 0123", Name: "Lucía Ejemplo"}
	return []coexistencetest.PastConversation{{With: with, Messages: past}}
}

// pause lets seconds pass, mostly, at times days. It is a second at least: Meta's times have no
// more, so the order of two edits within one, say, is not told. Messages share seconds: see
// converse.
func (r *run) pause() {
	d := time.Second
	switch n := r.rand.IntN(100); {
	case n < 55:
		d += time.Duration(r.rand.IntN(90)) * time.Second
	case n < 82:
		d += time.Duration(r.rand.IntN(60)) * time.Minute
	case n < 97:
		d += time.Duration(r.rand.IntN(20)) * time.Hour
	default:
		d += time.Duration(r.rand.IntN(15*24)) * time.Hour
	}
	time.Sleep(d)
}

// log notes a step, at the bubble's time.
func (r *run) log(format string, args ...any) {
	r.out.Log = append(r.out.Log, time.Now().Format("01-02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// finish lets everything arrive, lets the host do its jobs without a further crash, and compares.
// It does so three times over: a job may bring new deliveries, and a late delivery new work.
func (r *run) finish(ctx context.Context) error {
	tracker, process := r.host.liveProcess()
	process.crashAfter(0, false)
	for range 3 {
		if err := r.world.WaitDelivered(ctx); err != nil {
			return err
		}
		time.Sleep(2 * time.Minute)
		tracker, process = r.host.liveProcess()
		if _, err := r.host.crashReport(); err != nil {
			return err
		}
		process.crashAfter(0, false)
		if err := r.work(ctx); err != nil {
			return err
		}
	}
	return r.compare(ctx, tracker)
}

// key is what a contact is filed under in the model: the user id of a customer who hides the
// number, else the digits.
func key(c coexistencetest.Contact) string {
	if c.UserID != "" {
		return string(c.UserID)
	}
	return phonenumber.Digits(c.PhoneNumber)
}
