package modeltest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// step does one thing at random: it lets the host do its jobs, most of the time, and then something
// happens to the number, to a message, or to the address book. At times it has the host crash in
// one of its next calls. While the number does not coexist, a signup is the likeliest.
//
// An error means that the test is broken. What the host gets wrong is found by compare.
func (r *run) step(ctx context.Context) error {
	r.steps++
	if r.rand.IntN(12) == 0 {
		// Within thirty calls, so that the crash falls into this step or one of the next ones.
		n, before := 1+r.rand.IntN(30), r.rand.IntN(2) == 0
		_, process := r.host.liveProcess()
		process.crashAfter(n, before)
		r.log("the host will crash in its call %d", n)
	}
	if r.rand.IntN(3) > 0 {
		if err := r.work(ctx); err != nil && !errors.Is(err, errCrashed) {
			return fmt.Errorf("the host's jobs: %w", err)
		}
	}
	coexists := r.phone.Coexists() // else the host is told of nothing
	switch n := r.rand.IntN(100); {
	// The first steps onboard the number, or most of a run would be about nothing.
	case !coexists && (n < 40 || r.steps < 3):
		return r.connect(ctx)
	case n < 12:
		return r.sync(ctx)
	case n < 45:
		return r.converse(ctx, r.someCustomer(), coexists)
	case n < 60:
		r.changeMessage(coexists)
	case n < 68:
		return r.send(ctx, r.someCustomer(), coexists)
	case n < 78:
		r.changeAddressBook(coexists)
	case n < 81:
		r.changeNumber(r.someCustomer(), coexists)
	case n < 88:
		r.log("another phone")
		r.phone.ChangeDevice()
	case n < 96:
		r.log("reconnected")
		r.phone.Reconnect()
	default:
		r.disconnect()
	}
	return nil
}

// connect takes the business through signup and lets the host do what follows. A signup can be
// refused, as when the business has just disconnected: then nothing happened.
func (r *run) connect(ctx context.Context) error {
	sharing := coexistencetest.HistoryShared
	if r.rand.IntN(5) == 0 {
		sharing = coexistencetest.HistoryDeclined
	}
	share := sharing == coexistencetest.HistoryShared
	result, err := r.phone.Connect(sharing)
	if err != nil {
		r.log("signup refused: %v", err)
		return nil // connected already, or too soon after a disconnection
	}
	r.cycle = &cycle{began: time.Now(), shares: share, straggling: time.Since(r.lastHistory) < 48*time.Hour}
	r.out.Onboardings++
	r.log("connected, shares %v", share)
	return r.host.connect(ctx, result.Code, r.phone)
}

// disconnect ends the coexistence for good, for one of the reasons that the phone or Meta can give.
// An empty reason is an update without one, as before April 2026.
func (r *run) disconnect() {
	reasons := []webhook.DisconnectionReason{
		webhook.DisconnectedAccount, webhook.DisconnectedReRegistered, webhook.DisconnectedCompanionInactivity, "",
	}
	reason := reasons[r.rand.IntN(len(reasons))]
	r.log("disconnected: %q", reason)
	r.lastLoss = time.Now()
	r.phone.EndCoexistence(reason, "USER")
}

// work lets the host do its jobs, and notes when the tracker was told of the signup.
func (r *run) work(ctx context.Context) error {
	err := r.host.work(ctx)
	if r.cycle != nil && r.cycle.told.IsZero() && len(r.host.signups) == 0 {
		r.cycle.told = time.Now()
	}
	return err
}

// sync has the host ask for contacts and history, and notes in the model what Meta has taken: the
// host may crash between the call and its answer, so its own view is no proof.
func (r *run) sync(ctx context.Context) error {
	if r.host.phone == "" {
		return nil
	}
	if err := r.work(ctx); err != nil { // the signup first: RequestSync acts on the cycle that the tracker knows
		r.log("no sync: %v", err)
		return nil
	}
	tracker, _ := r.host.liveProcess()
	synced := func(kind cloudapi.SyncKind) time.Time { return r.world.Graph().Synced(r.host.phone, kind) }
	// The times before and after the call tell which requests Meta has counted, whatever became of
	// the answer.
	contacts, history := synced(cloudapi.SyncContacts), synced(cloudapi.SyncHistory)
	_, err := tracker.RequestSync(ctx, r.host.phone)
	r.log("sync: %v", err)
	if synced(cloudapi.SyncContacts) != contacts {
		for _, c := range r.phone.Contacts() {
			r.cycle.answered = true
			r.book[key(c)].told = true
		}
	}
	if synced(cloudapi.SyncHistory) != history {
		r.lastHistory = time.Now()
	}
	// Without sharing, the request is answered by a refusal, and nothing was told.
	if synced(cloudapi.SyncHistory) != history && r.cycle.shares {
		r.markShared(synced(cloudapi.SyncHistory))
	}
	return nil
}

// markShared notes in the model what a history that was asked for at a time has told the host: all
// messages that the simulator has put into it, the files of the recent ones, and the reactions made
// before the onboarding.
func (r *run) markShared(at time.Time) {
	st, ok := r.world.Graph().Phone(r.host.phone)
	onboarded := at
	if ok {
		onboarded = st.OnboardedAt
	}
	for _, c := range r.customers {
		for _, m := range r.phone.Chat(c.Customer) {
			if m.PastAt.IsZero() || m.PastAt.Before(at) {
				continue
			}
			k := r.track(m.ID, c)
			k.mediaShared = k.mediaShared || onboarded.Sub(m.At) < coexistence.MediaWindow
			k.unavailable = false
		}
		for _, m := range r.phone.Chat(c.Customer) {
			if k := r.known[m.ID]; k != nil && k.reactionMissed.Before(onboarded) {
				k.reactionMissed = time.Time{} // reactions are messages of history
			}
		}
	}
}

// track returns the model's record of a message.
func (r *run) track(id graph.MessageID, c *customer) *message {
	k := r.known[id]
	if k == nil {
		k = &message{id: id, customer: c}
		r.known[id] = k
	}
	return k
}

// someCustomer returns a customer, at times a new one: one who hides the number, or one of the time
// before user ids. Numbers are Brazilian, which WhatsApp knows with and without a ninth digit.
func (r *run) someCustomer() *customer {
	if len(r.customers) > 0 && r.rand.IntN(5) > 0 {
		return r.customers[r.rand.IntN(len(r.customers))]
	}
	cfg := coexistencetest.CustomerConfig{PhoneNumber: fmt.Sprintf("+55 31 9 5555 %04d", len(r.customers)),
		Name: "Made-up customer"}
	switch r.rand.IntN(4) {
	case 0:
		cfg.HideNumber, cfg.Username = true, fmt.Sprintf("madeup.%d", len(r.customers))
	case 1:
		cfg.OldStyle = true
	}
	c := &customer{Customer: r.phone.AddCustomer(cfg), number: cfg.PhoneNumber}
	r.customers = append(r.customers, c)
	return c
}

// converse lets either side of a conversation write, and most of the time both of them go on within
// the same second: then nothing but the places of the messages tells their order.
func (r *run) converse(ctx context.Context, c *customer, coexists bool) error {
	for more := true; more; more = r.rand.IntN(3) > 0 {
		switch r.rand.IntN(5) {
		case 0, 1:
			r.echo(c, coexists)
		case 2:
			if err := r.send(ctx, c, coexists); err != nil {
				return err
			}
		default:
			r.write(c, coexists)
		}
		time.Sleep(time.Duration(1+r.rand.IntN(150)) * time.Millisecond)
	}
	return nil
}

// content draws what a message says: texts that are hard to store, and every kind of content that a
// host keeps in another way.
func (r *run) content() coexistencetest.Content {
	contents := []coexistencetest.Content{
		coexistencetest.Text("Grüße 👋🏽 / \"quoted\""), coexistencetest.Text("هل المحل مفتوح؟"),
		coexistencetest.Image("caption"),
		coexistencetest.Voice(), coexistencetest.Document("a.pdf", "b"),
		coexistencetest.Location("Shop", "1 Made-up Street", 1.5, -2),
		coexistencetest.ContactCard("Ben", "+1 555-010-0188"), coexistencetest.Sticker(),
	}
	return contents[r.rand.IntN(len(contents))]
}

// write lets a customer write, now and then from a device whose messages Cloud API cannot show.
func (r *run) write(c *customer, coexists bool) {
	if r.rand.IntN(6) == 0 {
		k := r.track(c.SendUnavailable("the real thing"), c)
		k.unavailable = coexists
		r.theirs = append(r.theirs, k)
		r.log("%s wrote %s, which is unavailable", c.number, k.id)
		return
	}
	k := r.track(c.SendContent(r.content()), c)
	r.theirs = append(r.theirs, k)
	r.log("%s wrote %s", c.number, k.id)
}

// echo lets the business write on its phone. While the number coexists, the host gets an echo.
func (r *run) echo(c *customer, coexists bool) {
	k := r.track(r.phone.SendContent(c.Customer, r.content()), c)
	r.ours = append(r.ours, k)
	r.log("the phone wrote %s to %s (%v)", k.id, c.number, coexists)
}

// send lets the host write through the API. It may crash before it has registered that. Then the
// message is on the phone, and the host knows of it by its statuses alone, until a history brings
// it.
func (r *run) send(ctx context.Context, c *customer, coexists bool) error {
	if !coexists || r.host.phone == "" {
		return nil
	}
	// Meta takes the message before the host can store it. No order of the two is free of that gap.
	tracker, process := r.host.liveProcess()
	msg := cloudapi.Message{To: cloudapi.ToIdentity(c.Identity()), Content: &cloudapi.Text{Body: "From the host"}}
	sent, err := r.host.calls().Messages.Send(ctx, r.host.phone, msg)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	k := r.track(sent.ID, c)
	k.registered = tracker.RecordSent(ctx, r.host.phone, sent, msg) == nil
	if !k.registered { // or it was, and the process crashed right after
		stored, err := process.Store.Message(ctx, r.host.phone, sent.ID)
		k.registered = err == nil && stored.Origin == coexistence.OriginAPI
	}
	r.log("the host wrote %s to %s, registered %v", k.id, c.number, k.registered)
	return nil
}

// changeMessage edits, deletes or reacts to a recent message, or resolves one that was unavailable.
// Changes that the phone refuses, because the message is too old or gone, did not happen.
func (r *run) changeMessage(coexists bool) {
	// Recent messages are taken, because older ones can be neither edited nor deleted.
	list, phone := r.theirs, false
	if r.rand.IntN(2) == 0 {
		list, phone = r.ours, true
	}
	if len(list) == 0 {
		return
	}
	k := list[max(0, len(list)-1-r.rand.IntN(6))]
	// An edit is missed if the host knows the message and is not told of the change. If it does not
	// know it, a history brings the latest text.
	heard := r.heard(k)
	switch r.rand.IntN(4) {
	case 0:
		edit := k.customer.Edit
		if phone {
			edit = r.phone.Edit
		}
		if _, err := edit(k.id, fmt.Sprint("edited ", r.steps)); err == nil {
			k.editHeard = k.editHeard || coexists
			k.editMissed = !coexists && heard
			r.log("edited %s (%v)", k.id, coexists)
		}
	case 1:
		revoke := k.customer.Revoke
		if phone {
			revoke = r.phone.Revoke
		}
		if _, err := revoke(k.id); err == nil {
			k.revokeMissed = !coexists
			r.log("deleted %s (%v)", k.id, coexists)
		}
	case 2:
		reaction := coexistencetest.Reaction(k.id, []string{"🎂", "👍", ""}[r.rand.IntN(3)])
		if r.rand.IntN(2) == 0 {
			r.phone.SendContent(k.customer.Customer, reaction)
		} else {
			k.customer.SendContent(reaction)
		}
		if !coexists {
			k.reactionMissed = time.Now()
		}
		r.log("reacted to %s with %q (%v)", k.id, reaction.Text, coexists)
	default:
		if k.unavailable && coexists && k.customer.ResolveUnavailable(k.id) == nil {
			k.unavailable = false
			r.log("resolved %s", k.id)
		}
	}
}

// heard reports whether the host was told of a message, or will be: live, by a history, or by an
// edit.
func (r *run) heard(k *message) bool {
	for _, m := range r.phone.Chat(k.customer.Customer) {
		if m.ID == k.id {
			return !m.LiveAt.IsZero() || !m.PastAt.IsZero() || k.editHeard
		}
	}
	return false
}

// changeAddressBook saves or removes a contact on the business's phone. Customers who changed
// number are left out: the book goes on to name the old one.
func (r *run) changeAddressBook(coexists bool) {
	c := r.someCustomer()
	if c.moved {
		return
	}
	contact := coexistencetest.Contact{FullName: fmt.Sprint("Name ", r.steps), FirstName: "Name",
		UserID: c.Identity().UserID}
	if c.WAID() != "" {
		contact.PhoneNumber = c.number
	}
	e := r.book[key(contact)]
	if e != nil && !e.removed && r.rand.IntN(3) == 0 {
		r.phone.RemoveContact(contact)
		e.removed, e.told = true, coexists
		r.log("removed %s from the address book (%v)", c.number, coexists)
		return
	}
	r.phone.SaveContact(contact)
	r.book[key(contact)] = &entry{contact: contact, told: coexists}
	r.log("saved %s as %s (%v)", c.number, contact.FullName, coexists)
}

// changeNumber gives a customer another number, once. One without a number has none to change.
func (r *run) changeNumber(c *customer, coexists bool) {
	if c.moved || c.WAID() == "" {
		return
	}
	c.moved, c.movedAlone = true, !coexists
	number := fmt.Sprintf("+54 9 11 5555 %04d", r.steps)
	r.track(c.ChangeNumber(number), c)
	r.log("%s is %s now (%v)", c.number, number, coexists)
}
