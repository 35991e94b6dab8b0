package templates

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A StatusError says that a template may not be sent as it stands.
type StatusError struct {
	Name, Language string
	Status         cloudapi.TemplateStatus
	RejectedReason string // Meta's, for a rejected one
}

// Error says what to do about it.
func (e *StatusError) Error() string {
	advice := "only an approved template can be sent"
	switch e.Status {
	case cloudapi.TemplatePaused:
		advice = "its quality is low, and Meta ends the pause by itself; send another one until then"
	case cloudapi.TemplateRejected:
		advice = "edit it and hand it in again"
		if e.RejectedReason != "" && e.RejectedReason != "NONE" {
			advice += " (" + e.RejectedReason + ")"
		}
	case cloudapi.TemplateDisabled:
		advice = "its quality was low for too long; create another one"
	case cloudapi.TemplatePending, cloudapi.TemplateInAppeal:
		advice = "wait for Meta's review"
	}
	return fmt.Sprintf("templates: %s in %s is %s: %s", e.Name, e.Language, e.Status, advice)
}

// Check reports why Meta would refuse a template now: [ErrUnknown], a *[StatusError], or a
// *[ParameterError]. Any other error says that it could not be found out.
func (c *Cache) Check(ctx context.Context, phone graph.PhoneNumberID, t *cloudapi.Template) error {
	_, err := c.check(ctx, phone, t)
	return err
}

// check is Check, and returns the template if it can be sent.
func (c *Cache) check(
	ctx context.Context, phone graph.PhoneNumberID, t *cloudapi.Template,
) (*cloudapi.MessageTemplate, error) {
	found, err := c.find(ctx, phone, nameOf(t.Name, t.Language), c.cfg.MaxAge)
	if err == nil {
		err = judge(found, t)
	}
	if !refuses(err) {
		return found, err
	}
	if found, err = c.find(ctx, phone, nameOf(t.Name, t.Language), fresh); err == nil {
		err = judge(found, t)
	}
	return found, err
}

// judge reports why a template cannot be sent as a message fills it in.
func judge(found *cloudapi.MessageTemplate, t *cloudapi.Template) error {
	if found.Status != cloudapi.TemplateApproved {
		return &StatusError{found.Name, found.Language, found.Status, found.RejectedReason}
	}
	return checkParameters(found, t)
}

// refuses reports whether an error says that Meta would refuse the message.
func refuses(err error) bool {
	if _, ok := errors.AsType[*StatusError](err); ok {
		return true
	}
	_, ok := errors.AsType[*ParameterError](err)
	return ok || errors.Is(err, ErrUnknown)
}

var _ coexistence.SendFunc = (*Cache)(nil).Send

// Send sends a message, and is made for coexistence.Config.Send and outbox.Config.Send. A template
// that Meta would refuse is not sent: see [Cache.Check]. All other messages go through
// [cloudapi.MessagesService.Send].
func (c *Cache) Send(
	ctx context.Context, client *cloudapi.Client, from graph.PhoneNumberID, m cloudapi.Message,
) (*cloudapi.SentMessage, error) {
	t, ok := m.Content.(*cloudapi.Template)
	if !ok || t == nil || m.SkipValidation {
		return client.Messages.Send(ctx, from, m)
	}
	found, err := c.check(ctx, from, t)
	if refuses(err) {
		return nil, err
	}
	var opts cloudapi.MarketingOptions
	if c.cfg.Marketing != nil {
		opts = *c.cfg.Marketing
	}
	toGroup := m.To.IsGroup()
	marketing := c.cfg.Marketing != nil && err == nil && found.Category == graph.TemplateMarketing && !toGroup
	for range 2 {
		var sent *cloudapi.SentMessage
		if marketing {
			sent, err = client.Messages.SendMarketing(ctx, from, m, opts)
		} else {
			sent, err = client.Messages.Send(ctx, from, m)
		}
		if !wrongWay(err, marketing) || toGroup {
			return sent, err
		}
		c.expire(ctx, from)
		marketing = !marketing
	}
	return nil, err
}

// wrongWay reports whether Meta refused a template because of the way that it went, and did
// nothing.
func wrongWay(err error, marketing bool) bool {
	e, ok := errors.AsType[*cloudapi.Error](err)
	if !ok || e.Outcome != cloudapi.OutcomeRefused {
		return false
	}
	if marketing {
		return e.Code == graph.CodeMethodNotAllowed || e.Code == graph.CodeOnlyMarketingSupported
	}
	return e.Code == graph.CodeMarketingDisabledOnCloudAPI
}

// expire has the lists of a number read again, since a category turned out to be another one.
func (c *Cache) expire(ctx context.Context, phone graph.PhoneNumberID) {
	number, err := c.cfg.Store.Number(ctx, phone)
	if err != nil {
		return // the list has its MaxAge
	}
	for _, waba := range number.Accounts() {
		a := c.account(waba)
		a.mu.Lock()
		a.readAt = time.Time{}
		a.mu.Unlock()
	}
}
