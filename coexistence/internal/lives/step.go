package lives

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

// step does one thing. An error means that a part of the play broke, not that the host did.
func (l *life) step(ctx context.Context) error {
	l.steps++
	if l.rand.IntN(12) == 0 {
		n, before := 1+l.rand.IntN(30), l.rand.IntN(2) == 0
		_, process := l.host.now()
		process.fuse(n, before)
		l.log("the host will die in its call %d", n)
	}
	if l.rand.IntN(3) > 0 {
		if err := l.work(ctx); err != nil && !errors.Is(err, errDead) {
			return fmt.Errorf("the host's jobs: %w", err)
		}
	}
	coexists := l.phone.Coexists()
	switch n := l.rand.IntN(100); {
	case !coexists && (n < 40 || l.steps < 3):
		return l.connect(ctx)
	case n < 12:
		return l.sync(ctx)
	case n < 30:
		l.write(l.anybody(), coexists)
	case n < 45:
		l.echo(l.anybody(), coexists)
	case n < 60:
		l.change(coexists)
	case n < 68:
		return l.send(ctx, l.anybody(), coexists)
	case n < 78:
		l.address(coexists)
	case n < 81:
		l.move(l.anybody(), coexists)
	case n < 88:
		l.log("another phone")
		l.phone.ChangeDevice()
	case n < 96:
		l.log("reconnected")
		l.phone.Reconnect()
	default:
		l.leave()
	}
	return nil
}

func (l *life) connect(ctx context.Context) error {
	sharing := coexistencetest.HistoryShared
	if l.rand.IntN(5) == 0 {
		sharing = coexistencetest.HistoryDeclined
	}
	share := sharing == coexistencetest.HistoryShared
	result, err := l.phone.Connect(sharing)
	if err != nil {
		l.log("signup refused: %v", err)
		return nil // connected already, or too soon after a disconnection
	}
	l.cycle = &cycle{began: time.Now(), shares: share, straggling: time.Since(l.lastHistory) < 48*time.Hour}
	l.out.Onboardings++
	l.log("connected, shares %v", share)
	return l.host.connect(ctx, result.Code, l.phone)
}

func (l *life) leave() {
	reasons := []webhook.DisconnectionReason{
		webhook.DisconnectedAccount, webhook.DisconnectedReRegistered, webhook.DisconnectedCompanionInactivity, "",
	}
	reason := reasons[l.rand.IntN(len(reasons))]
	l.log("disconnected: %q", reason)
	l.lastLoss = time.Now()
	l.phone.EndCoexistence(reason, "USER")
}

// work lets the host do its jobs.
func (l *life) work(ctx context.Context) error {
	err := l.host.work(ctx)
	if l.cycle != nil && l.cycle.told.IsZero() && len(l.host.signups) == 0 {
		l.cycle.told = time.Now()
	}
	return err
}

// sync asks for contacts and history, as a job does.
func (l *life) sync(ctx context.Context) error {
	if l.host.phone == "" {
		return nil
	}
	if err := l.work(ctx); err != nil { // the signup first: RequestSync acts on the cycle that the tracker knows
		l.log("no sync: %v", err)
		return nil
	}
	tracker, _ := l.host.now()
	synced := func(kind cloudapi.SyncKind) time.Time { return l.world.Graph().Synced(l.host.phone, kind) }
	contacts, history := synced(cloudapi.SyncContacts), synced(cloudapi.SyncHistory)
	_, err := tracker.RequestSync(ctx, l.host.phone)
	l.log("sync: %v", err)
	if synced(cloudapi.SyncContacts) != contacts {
		for _, c := range l.phone.Contacts() {
			l.cycle.answered = true
			l.book[key(c)].told = true
		}
	}
	if synced(cloudapi.SyncHistory) != history {
		l.lastHistory = time.Now()
	}
	if synced(cloudapi.SyncHistory) != history && l.cycle.shares {
		l.shared(synced(cloudapi.SyncHistory))
	}
	return nil
}

// shared notes what a history has told.
func (l *life) shared(at time.Time) {
	st, ok := l.world.Graph().Phone(l.host.phone)
	onboarded := at
	if ok {
		onboarded = st.OnboardedAt
	}
	for _, c := range l.customers {
		for _, m := range l.phone.Chat(c.Customer) {
			if m.PastAt.IsZero() || m.PastAt.Before(at) {
				continue
			}
			k := l.know(m.ID, c)
			k.mediaShared = k.mediaShared || onboarded.Sub(m.At) < coexistence.MediaWindow
			k.ghost = false
		}
		for _, m := range l.phone.Chat(c.Customer) {
			if k := l.known[m.ID]; k != nil && k.reactionMissed.Before(onboarded) {
				k.reactionMissed = time.Time{} // reactions are messages of history
			}
		}
	}
}

func (l *life) know(id graph.MessageID, c *customer) *message {
	k := l.known[id]
	if k == nil {
		k = &message{id: id, customer: c}
		l.known[id] = k
	}
	return k
}

// anybody returns a customer, at times a new one.
func (l *life) anybody() *customer {
	if len(l.customers) > 0 && l.rand.IntN(5) > 0 {
		return l.customers[l.rand.IntN(len(l.customers))]
	}
	cfg := coexistencetest.CustomerConfig{PhoneNumber: fmt.Sprintf("+55 31 9 5555 %04d", len(l.customers)), Name: "Made-up customer"}
	switch l.rand.IntN(4) {
	case 0:
		cfg.HideNumber, cfg.Username = true, fmt.Sprintf("madeup.%d", len(l.customers))
	case 1:
		cfg.OldStyle = true
	}
	c := &customer{Customer: l.phone.AddCustomer(cfg), number: cfg.PhoneNumber}
	l.customers = append(l.customers, c)
	return c
}

func (l *life) content() coexistencetest.Content {
	contents := []coexistencetest.Content{
		coexistencetest.Text("Grüße 👋🏽 / \"quoted\""), coexistencetest.Text("هل المحل مفتوح؟"), coexistencetest.Image("caption"),
		coexistencetest.Voice(), coexistencetest.Document("a.pdf", "b"), coexistencetest.Location("Shop", "1 Made-up Street", 1.5, -2),
		coexistencetest.ContactCard("Ben", "+1 555-010-0188"), coexistencetest.Sticker(),
	}
	return contents[l.rand.IntN(len(contents))]
}

// write lets a customer write.
func (l *life) write(c *customer, coexists bool) {
	if l.rand.IntN(6) == 0 {
		k := l.know(c.SendUnavailable("the real thing"), c)
		k.ghost = coexists
		l.theirs = append(l.theirs, k)
		l.log("%s wrote %s, which is unavailable", c.number, k.id)
		return
	}
	k := l.know(c.SendContent(l.content()), c)
	l.theirs = append(l.theirs, k)
	l.log("%s wrote %s", c.number, k.id)
}

// echo lets the business write on its phone.
func (l *life) echo(c *customer, coexists bool) {
	k := l.know(l.phone.SendContent(c.Customer, l.content()), c)
	l.ours = append(l.ours, k)
	l.log("the phone wrote %s to %s (%v)", k.id, c.number, coexists)
}

// send lets the host write through the API, and die perhaps before it has registered that.
func (l *life) send(ctx context.Context, c *customer, coexists bool) error {
	if !coexists || l.host.phone == "" {
		return nil
	}
	tracker, process := l.host.now()
	msg := cloudapi.Message{To: cloudapi.ToIdentity(c.Identity()), Content: &cloudapi.Text{Body: "From the host"}}
	sent, err := l.host.calls().Messages.Send(ctx, l.host.phone, msg)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	k := l.know(sent.ID, c)
	k.registered = tracker.RecordSent(ctx, l.host.phone, sent, msg) == nil
	if !k.registered { // perhaps it was, and the process died right after
		stored, err := process.store.Message(ctx, l.host.phone, sent.ID)
		k.registered = err == nil && stored.Origin == coexistence.OriginAPI
	}
	l.log("the host wrote %s to %s, registered %v", k.id, c.number, k.registered)
	return nil
}

// change edits, deletes or reacts to a recent message, or resolves one that was unavailable.
func (l *life) change(coexists bool) {
	list, phone := l.theirs, false
	if l.rand.IntN(2) == 0 {
		list, phone = l.ours, true
	}
	if len(list) == 0 {
		return
	}
	k := list[max(0, len(list)-1-l.rand.IntN(6))]
	heard := l.heard(k)
	switch l.rand.IntN(4) {
	case 0:
		edit := k.customer.Edit
		if phone {
			edit = l.phone.Edit
		}
		if _, err := edit(k.id, fmt.Sprint("edited ", l.steps)); err == nil {
			k.editHeard = k.editHeard || coexists
			k.editMissed = !coexists && heard
			l.log("edited %s (%v)", k.id, coexists)
		}
	case 1:
		revoke := k.customer.Revoke
		if phone {
			revoke = l.phone.Revoke
		}
		if _, err := revoke(k.id); err == nil {
			k.revokeMissed = !coexists
			l.log("deleted %s (%v)", k.id, coexists)
		}
	case 2:
		reaction := coexistencetest.Reaction(k.id, []string{"🎂", "👍", ""}[l.rand.IntN(3)])
		if l.rand.IntN(2) == 0 {
			l.phone.SendContent(k.customer.Customer, reaction)
		} else {
			k.customer.SendContent(reaction)
		}
		if !coexists {
			k.reactionMissed = time.Now()
		}
		l.log("reacted to %s with %q (%v)", k.id, reaction.Text, coexists)
	default:
		if k.ghost && coexists && k.customer.ResolveUnavailable(k.id) == nil {
			k.ghost = false
			l.log("resolved %s", k.id)
		}
	}
}

// heard reports whether the host was told of a message, or will be.
func (l *life) heard(k *message) bool {
	for _, m := range l.phone.Chat(k.customer.Customer) {
		if m.ID == k.id {
			return !m.LiveAt.IsZero() || !m.PastAt.IsZero() || k.editHeard
		}
	}
	return false
}

// address changes the address book.
func (l *life) address(coexists bool) {
	c := l.anybody()
	if c.moved {
		return
	}
	contact := coexistencetest.Contact{FullName: fmt.Sprint("Name ", l.steps), FirstName: "Name", UserID: c.Identity().UserID}
	if c.WAID() != "" {
		contact.PhoneNumber = c.number
	}
	e := l.book[key(contact)]
	if e != nil && !e.removed && l.rand.IntN(3) == 0 {
		l.phone.RemoveContact(contact)
		e.removed, e.told = true, coexists
		l.log("removed %s from the address book (%v)", c.number, coexists)
		return
	}
	l.phone.SaveContact(contact)
	l.book[key(contact)] = &entry{contact: contact, told: coexists}
	l.log("saved %s as %s (%v)", c.number, contact.FullName, coexists)
}

// move changes a customer's number.
func (l *life) move(c *customer, coexists bool) {
	if c.moved || c.WAID() == "" {
		return
	}
	c.moved, c.movedAlone = true, !coexists
	number := fmt.Sprintf("+54 9 11 5555 %04d", l.steps)
	l.know(c.ChangeNumber(number), c)
	l.log("%s is %s now (%v)", c.number, number, coexists)
}
