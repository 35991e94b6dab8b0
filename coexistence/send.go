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

// recordTime is how long it may take to store a message that has gone out, also if the caller does
// not wait for that.
const recordTime = 10 * time.Second

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
	sent, err := c.Messages.Send(ctx, from, m)
	if err != nil {
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
// at once and an echo of it is not taken for a person. Call it with what
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
	by := attribution{
		source: sourceAPI, origin: OriginAPI, outbound: true, at: time.Now().UTC(), customer: to, person: bestAlias(to),
	}
	if sent.GroupID != "" {
		by = by.inGroup(sent.GroupID)
	} else if err := t.upsertContact(ctx, phone, seen(to, by.at, "")); err != nil {
		return err
	}
	return t.mergeMessages(ctx, phone, []messageFact{sentFact(sent.ID, by, m)})
}
