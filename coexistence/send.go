package coexistence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// recordTime is how long it may take to store a message that has gone out, even if the caller does
// not wait for that.
const recordTime = 10 * time.Second

// A SendFunc sends a message with the client of a number. Its errors are those of
// [cloudapi.MessagesService.Send]; one that is no [*cloudapi.Error] says that nothing was sent, and
// that the message is to blame.
type SendFunc func(
	ctx context.Context, client *cloudapi.Client, from graph.PhoneNumberID, m cloudapi.Message,
) (*cloudapi.SentMessage, error)

// SendMessage is the [SendFunc] that calls [cloudapi.MessagesService.Send].
func SendMessage(
	ctx context.Context, client *cloudapi.Client, from graph.PhoneNumberID, m cloudapi.Message,
) (*cloudapi.SentMessage, error) {
	return client.Messages.Send(ctx, from, m)
}

// Send sends a message through Cloud API with the client of the number, and stores it in the
// conversation. It is a call of [cloudapi.MessagesService.Send] and [Tracker.RecordSent].
//
// A handler can return the error as it is. Where another try can neither say something twice nor
// fail for the same reason ([cloudapi.Error.SafeToRetry], or no client for now), the error asks for
// one. Every other error is [webhook.Permanent]: a message that is not valid or that Meta refused
// would be refused again, and one whose answer got lost may have gone out.
//
// The result is nil only if Meta did not say that it took the message. Beside an error it is the
// message that went out and could not be stored: its echo will look like a person's message. Do not
// send it again; store it with [Tracker.RecordSent].
func (t *Tracker) Send(
	ctx context.Context, from graph.PhoneNumberID, m cloudapi.Message,
) (*cloudapi.SentMessage, error) {
	c, err := t.Client(ctx, from)
	if err != nil {
		return nil, err
	}
	sent, err := t.cfg.Send(ctx, c, from, m)
	if err != nil {
		err = errors.Join(err, t.RecordRefused(context.WithoutCancel(ctx), from, m, err))
		if e, ok := errors.AsType[*cloudapi.Error](err); ok && e.SafeToRetry() {
			return nil, err
		}
		return nil, webhook.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := t.RecordSent(ctx, from, sent, m); err != nil {
		return sent, webhook.Permanent(fmt.Errorf(
			"coexistence: message %s was sent but could not be stored; do not send it again: %w", sent.ID, err))
	}
	return sent, nil
}

// RecordSent registers a message that was sent through the API, so that it is in the conversation
// at once and an echo of it is not mistaken for a person. Call it with what
// [cloudapi.MessagesService.Send] took and returned, if that is not [Tracker.Send]. A status may
// have been faster.
func (t *Tracker) RecordSent(
	ctx context.Context, phone graph.PhoneNumberID, sent *cloudapi.SentMessage, m cloudapi.Message,
) error {
	if sent == nil {
		return errors.New("coexistence: RecordSent needs the message that Send returned")
	}
	to := sent.To.Identity()
	if to.UserID == "" && graph.IsUserID(sent.To.Input) {
		to.UserID = graph.UserID(sent.To.Input)
	}
	at := sent.At
	if at.IsZero() {
		at = time.Now()
	}
	by := attribution{ // in whole seconds, as all other times are
		source: sourceAPI, origin: OriginAPI, outbound: true, at: at.UTC().Truncate(time.Second), customer: to,
		person: bestAlias(to),
	}
	if sent.GroupID != "" {
		by = by.inGroup(sent.GroupID)
	}
	f := sentFact(sent.ID, by, m)
	f.position = arrivalPosition(at, 0)
	if sent.GroupID == "" {
		who := seen(to, by.at, "")
		who.message = f.content != nil
		if _, err := t.upsertContact(ctx, phone, who); err != nil {
			return err
		}
	}
	if err := t.mergeMessages(ctx, phone, []messageFact{f}); err != nil || !isService(m) {
		return err
	}
	// Meta refuses the service messages of all but the owner, so this one proves that we are it.
	// Where nothing else was ever said, there is nothing to correct.
	r, err := t.threadRecord(ctx, phone, by.person)
	if err != nil || r.Last.Event == "" && r.RefusedAt.IsZero() {
		return err
	}
	return t.mergeThread(ctx, phone, to, threadFact{record: ThreadRecord{AcceptedAt: by.at}})
}

// RecordRefused registers that Meta refused a message because another responder has the
// conversation, or none ([graph.ErrNotOwner]), or because the customer stopped marketing messages
// ([graph.ErrOptedOut]), and ignores every other error. Call it with the error of a call that is
// not [Tracker.Send].
func (t *Tracker) RecordRefused(
	ctx context.Context, phone graph.PhoneNumberID, m cloudapi.Message, refused error,
) error {
	now := time.Now().UTC()
	switch {
	case errors.Is(refused, graph.ErrOptedOut):
		f := threadFact{record: ThreadRecord{MarketingRefusedAt: now}}
		return t.mergeThread(ctx, phone, IdentityOf(m.To.Key()), f)
	case !errors.Is(refused, graph.ErrNotOwner):
		return nil
	}
	if err := t.noteResponder(ctx, phone, now); err != nil {
		return err
	}
	return t.mergeThread(ctx, phone, IdentityOf(m.To.Key()), threadFact{record: ThreadRecord{RefusedAt: now}})
}
