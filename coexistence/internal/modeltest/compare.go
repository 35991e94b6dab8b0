package modeltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// compare returns every difference between what the host knows and what it can know of the phone:
// message by message, conversation by conversation, the address book, and the state of the number.
// That the host shows nothing else is checked by adding up.
func (r *run) compare(ctx context.Context, tracker *coexistence.Tracker) error {
	if r.host.phone == "" {
		return nil // it never coexisted
	}
	store := tracker.Store()
	var errs []error
	for _, c := range r.customers {
		// What the phone shows of the chat, and what it does not: sends that failed.
		shown := 0
		for _, m := range r.phone.Chat(c.Customer) {
			told, err := r.compareMessage(ctx, store, c, m)
			if told {
				shown++
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("message %s of %s: %w", m.ID, c.number, err))
			}
		}
		failed, err := r.compareFailed(ctx, store, c)
		shown += failed
		r.out.Messages += shown
		errs = append(errs, err, r.compareConversation(ctx, store, c, shown), r.compareOrder(ctx, store, c))
	}
	// A message that belongs to no customer of the phone would be found by nothing else.
	all := 0
	for conv, err := range store.Conversations(ctx, r.host.phone) {
		all += conv.MessageCount
		errs = append(errs, err)
	}
	if all != r.out.Messages {
		errs = append(errs, fmt.Errorf("the host shows %d messages, %d were told", all, r.out.Messages))
	}
	errs = append(errs, r.compareBook(ctx, store), r.compareState(ctx, store))
	return errors.Join(errs...)
}

// compareMessage compares one message of the phone, and reports whether the host was told of it.
// One that was not told must not be shown; of one that was, each part is as the phone has it,
// unless the model says that the host missed a change.
func (r *run) compareMessage(
	ctx context.Context, store coexistence.Store, c *customer, want coexistencetest.ChatMessage,
) (told bool, err error) {
	k := r.known[want.ID]
	if k == nil {
		k = &message{id: want.ID, customer: c}
	}
	// What was told: live, by a history, or by an edit of it, which names its message. What the
	// host has sent itself it knows by RecordSent alone, since Meta sends no echo of it.
	live, past := !want.LiveAt.IsZero(), !want.PastAt.IsZero()
	told = live || past || k.editHeard
	if want.Author == coexistencetest.AuthorAPI {
		told = k.registered || past
	}
	got, err := store.Message(ctx, r.host.phone, want.ID)
	if !told {
		if err == nil && got.Visible() {
			return false, fmt.Errorf("it is shown and was not told: %+v", got)
		}
		return false, nil
	}
	if err != nil {
		return true, err
	}
	var wrong []string
	same := func(what string, got, want any) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %v and not %v", what, got, want))
		}
	}
	same("shown", got.Visible(), true)
	same("outbound", got.Outbound, want.Author != coexistencetest.AuthorCustomer)
	if live || past {
		same("time", got.At.Unix(), want.At.Unix())
	}
	same("origin", got.Origin, r.origin(want, k))
	same("revoked", got.Revoked(), want.Revoked && !k.revokeMissed)
	if !k.editMissed {
		same("edited", got.Edited(), k.editHeard)
	}
	if k.reactionMissed.IsZero() {
		same("reactions", reactions(got), sorted(want.Reactions))
	}
	same("status", got.Status, status(want, past))
	if !want.Revoked {
		kind, text := r.body(want, k)
		same("type", got.Type, kind)
		if !k.editMissed {
			same("text", got.Text, text)
		}
	}
	if wrong != nil {
		return true, errors.New(strings.Join(wrong, "; "))
	}
	return true, nil
}

// origin is the origin that the host can know: what came live beats what was imported, and our own
// sending beats both.
func (r *run) origin(want coexistencetest.ChatMessage, k *message) coexistence.Origin {
	switch {
	case want.Author == coexistencetest.AuthorAPI && k.registered:
		return coexistence.OriginAPI
	case want.LiveAt.IsZero() && want.PastAt.IsZero():
		return coexistence.OriginUnknown // only an edit was heard
	case want.LiveAt.IsZero() || want.Author == coexistencetest.AuthorAPI:
		return coexistence.OriginHistory
	case want.Author == coexistencetest.AuthorCustomer:
		return coexistence.OriginCustomer
	}
	return coexistence.OriginApp
}

// body is what the host can know of the content: a placeholder for a message that was unavailable,
// and for media of which only a history without files has told.
func (r *run) body(want coexistencetest.ChatMessage, k *message) (kind webhook.MessageType, text string) {
	live := !want.LiveAt.IsZero()
	switch {
	// An edit brings the text that the notice had left out.
	case k.unavailable && !k.editHeard:
		return webhook.TypeUnsupported, ""
	case want.Content.MIMEType != "" && !live && !k.mediaShared && !k.editHeard:
		return webhook.TypeMediaPlaceholder, ""
	}
	return webhook.MessageType(want.Content.Type), want.Content.Text
}

// status is the furthest that the host was told. What came live from the phone has none, unless
// history brings it. A history knows two states that no status webhook has: pending, which counts
// as none, and error, which counts as failed.
func status(want coexistencetest.ChatMessage, past bool) webhook.DeliveryStatus {
	// What was sent through the API has its statuses live. Everything else has one only if a
	// history told it.
	heard := webhook.DeliveryStatus(want.Status)
	switch {
	case want.Author == coexistencetest.AuthorAPI:
		return heard
	case !past:
		return ""
	case want.Author == coexistencetest.AuthorCustomer:
		return webhook.StatusRead
	case want.Status == "pending":
		return ""
	case want.Status == "error":
		return webhook.StatusFailed
	}
	return heard
}

// reactions lists the emoji that stand on a message, as sorted does.
func reactions(m coexistence.Message) string {
	var emoji []string
	for _, r := range m.Reactions {
		if r.Emoji != "" {
			emoji = append(emoji, r.Emoji)
		}
	}
	return sorted(emoji)
}

// sorted writes emoji so that two lists compare whatever their order.
func sorted(emoji []string) string {
	emoji = slices.Clone(emoji)
	slices.Sort(emoji)
	return strings.Join(emoji, " ")
}

// compareFailed checks what the host sent and Meta did not deliver, and counts it. No phone shows
// it; the host does, with the reason, if it had registered the sending.
func (r *run) compareFailed(ctx context.Context, store coexistence.Store, c *customer) (shown int, err error) {
	// What Meta refused to deliver never reached a phone.
	onPhone := map[graph.MessageID]bool{}
	for _, m := range r.phone.Chat(c.Customer) {
		onPhone[m.ID] = true
	}
	var errs []error
	for _, k := range r.known {
		if k.customer != c || onPhone[k.id] {
			continue
		}
		got, err := store.Message(ctx, r.host.phone, k.id)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("message %s, which failed: %w", k.id, err))
		case got.Status != webhook.StatusFailed || got.Failure == nil ||
			got.Failure.Code != graph.CodeReengagementMessage:
			errs = append(errs, fmt.Errorf("message %s is %s and not failed", k.id, got.Status))
		case got.Visible() != k.registered:
			errs = append(errs, fmt.Errorf("message %s, which failed: shown is %v", k.id, got.Visible()))
		case got.Visible():
			shown++
		}
	}
	return shown, errors.Join(errs...)
}

// compareConversation checks that everything said with one person is one conversation, in order,
// and nothing else is in it. A customer who changed number while the host was not told has two, and
// is left out.
func (r *run) compareConversation(ctx context.Context, store coexistence.Store, c *customer, shown int) error {
	if c.movedAlone || shown == 0 {
		return nil
	}
	conv, err := store.Conversation(ctx, r.host.phone, c.Identity().Key())
	if err != nil {
		return fmt.Errorf("conversation with %s: %w", c.number, err)
	}
	var last time.Time
	n := 0
	for m, err := range store.Messages(ctx, r.host.phone, conv.ID) {
		switch {
		case err != nil:
			return err
		case m.At.Before(last):
			return fmt.Errorf("conversation with %s: message %s is out of order", c.number, m.ID)
		case m.ConversationID != conv.ID:
			return fmt.Errorf("conversation with %s: message %s says that it belongs to another one", c.number, m.ID)
		}
		last = m.At
		n++
	}
	if n != shown || conv.MessageCount != shown {
		return fmt.Errorf("conversation with %s has %d messages, counts %d, and %d were told", c.number, n,
			conv.MessageCount, shown)
	}
	return nil
}

// compareBook compares the names of the contacts that the host was told of. A contact whose person
// took another number since is left out: which of the two the book means cannot be known.
func (r *run) compareBook(ctx context.Context, store coexistence.Store) error {
	// Customers with a new number are distinguished by their first one, which the book names.
	moved := map[string]bool{}
	for _, c := range r.customers {
		if c.moved {
			moved[phonenumber.Digits(c.number)] = true
		}
	}
	var errs []error
	for _, e := range r.book {
		if !e.told || moved[phonenumber.Digits(e.contact.PhoneNumber)] {
			continue
		}
		who := graph.Identity{UserID: e.contact.UserID, WAID: phonenumber.Digits(e.contact.PhoneNumber)}
		got, err := store.Contact(ctx, r.host.phone, who)
		want := e.contact.FullName
		if e.removed {
			want = ""
		}
		if err != nil && !errors.Is(err, coexistence.ErrNotFound) || got.Name != want ||
			got.InAddressBook() != (want != "") {
			err = fmt.Errorf("contact %s is %q and not %q (%w)", e.contact.PhoneNumber, got.Name, want, err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// compareState checks where the number stands, and its syncs, within what doc.go lists as
// unknowable. The cycle must be the last onboarding that the tracker was told of; a sync must
// neither be made up nor lost; the stage must be that of the phone.
func (r *run) compareState(ctx context.Context, store coexistence.Store) error {
	st, err := store.Number(ctx, r.host.phone)
	if err != nil {
		return err
	}
	synced := func(kind cloudapi.SyncKind) bool { return !r.world.Graph().Synced(r.host.phone, kind).IsZero() }
	now := time.Now()
	history, contacts := st.HistoryStatus(now), st.ContactsStatus(now)
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if st.Cycle < 1 || st.Cycle > r.out.Onboardings || st.OnboardedAt.Sub(r.cycle.began).Abs() > time.Minute {
		wrong("cycle %d of %d, which began at %v and not at %v", st.Cycle, r.out.Onboardings, st.OnboardedAt,
			r.cycle.began)
	}
	// A request that died between the call and its answer is unknown to the host; the simulator
	// knows whether it was made.
	unasked := func(s coexistence.SyncStatus) bool {
		return s == coexistence.SyncNone || s == coexistence.SyncExpired || s == coexistence.SyncUnknown ||
			s == coexistence.SyncSkipped
	}
	switch asked := synced(cloudapi.SyncHistory); {
	case !asked && !unasked(history):
		wrong("history is %q and was not asked for", history)
	case asked && r.cycle.shares && (history != coexistence.SyncComplete || st.History.Unreadable() > 0):
		wrong("history is %q", history)
	case r.cycle.straggling:
	case asked && r.cycle.shares && len(st.History.Gaps()) > 0:
		wrong("history misses chunks: %v", st.History.Gaps())
	case asked && !r.cycle.shares && history != coexistence.SyncDeclined:
		wrong("history is %q and was declined", history)
	}
	// A contact that is saved on the phone looks like an answer to a request that was not made
	// after all, so a request whose fate is unknown may count as answered.
	spent := synced(cloudapi.SyncContacts) || !st.Contacts.RequestedAt.IsZero()
	if r.cycle.answered && unasked(contacts) || !spent && !unasked(contacts) {
		wrong("contacts are %q, asked for %v", contacts, synced(cloudapi.SyncContacts))
	}
	switch {
	case r.phone.Coexists() && !st.Stage.Connected():
		wrong("stage %q, the phone coexists", st.Stage)
	case r.phone.Suspended() && st.Stage != coexistence.StageOffboarded:
		wrong("stage %q, the phone is suspended", st.Stage)
	case st.Cycle == 1 && r.cycle.told.After(r.lastLoss): // it ended before the tracker knew of it, and cannot be read
	case !r.phone.Coexists() && !r.phone.Suspended() && st.Stage != coexistence.StageRemoved:
		wrong("stage %q, the phone is disconnected", st.Stage)
	}
	if st.Stage == coexistence.StageRemoved && (st.Disconnection == nil || st.Remedy() == "") {
		wrong("removed, and the store does not say why")
	}
	return errors.Join(errs...)
}
