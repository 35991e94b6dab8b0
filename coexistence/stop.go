package coexistence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A StopSource is the way in which a person stopped or resumed marketing messages.
type StopSource string

const (
	StopByPreference StopSource = "preference" // set in WhatsApp: the webhook user_preferences
	StopByWord       StopSource = "word"       // written: Config.StopWords, Config.ResumeWords
	StopByHost       StopSource = "host"       // Tracker.StopMarketing, Tracker.ResumeMarketing
	StopByRefusal    StopSource = "refusal"    // Meta refused a message with code 131050
)

// StopMarketing stores that a person wants no marketing messages of a number: because a colleague
// was told so, or a form on the web. It holds until the person resumes in WhatsApp or with a word,
// or [Tracker.ResumeMarketing] is called.
func (t *Tracker) StopMarketing(ctx context.Context, phone graph.PhoneNumberID, conversation string) error {
	now := time.Now().UTC()
	return t.changeThread(ctx, phone, conversation, func(r *ThreadRecord) {
		r.merge(ThreadRecord{StoppedAt: now, StoppedBy: StopByHost})
	})
}

// ResumeMarketing stores that a person wants marketing messages of a number again. Meta continues
// to refuse them if the person stopped them in WhatsApp, and a refusal stops them again.
func (t *Tracker) ResumeMarketing(ctx context.Context, phone graph.PhoneNumberID, conversation string) error {
	now := time.Now().UTC()
	return t.changeThread(ctx, phone, conversation, func(r *ThreadRecord) {
		r.merge(ThreadRecord{ContinuedAt: now, ContinuedBy: StopByHost})
	})
}

// stop returns when marketing messages were stopped, and how that became known, or zeros if they
// are not. A stop and a resumption of the same second are a stop. A refusal of Meta's counts where
// nothing else tells of a stop: it proves one, and not when it was.
func (r ThreadRecord) stop() (at time.Time, by StopSource) {
	switch {
	case !r.StoppedAt.IsZero() && !r.StoppedAt.Before(r.ContinuedAt):
		return r.StoppedAt, r.StoppedBy
	case !r.MarketingRefusedAt.IsZero() && !r.MarketingRefusedAt.Before(r.ContinuedAt):
		return r.MarketingRefusedAt, StopByRefusal
	}
	return time.Time{}, ""
}

// stopFactOf returns what an event says about marketing messages, and whether it says anything.
// Words are read in what arrives live, also from what was said to another responder of the number.
func (t *Tracker) stopFactOf(ev webhook.Event, now time.Time) (f threadFact, ok bool) {
	at := ev.Info().At.UTC()
	if at.IsZero() {
		at = now
	}
	switch ev := ev.(type) {
	case *webhook.UserPreference:
		f.customer = ev.User
		switch ev.Value {
		case webhook.PreferenceStop:
			f.record = ThreadRecord{StoppedAt: at, StoppedBy: StopByPreference}
		case webhook.PreferenceResume:
			f.record = ThreadRecord{ContinuedAt: at, ContinuedBy: StopByPreference}
		default:
			return f, false
		}
		return f, true
	case *webhook.MessageStatus:
		f = threadFact{customer: ev.Recipient, record: ThreadRecord{MarketingRefusedAt: at}}
		return f, ev.GroupID == "" && len(ev.Errors) > 0 && errors.Is(ev.Errors[0].Code, graph.ErrOptedOut)
	case *webhook.IncomingMessage:
		if ev.GroupID == "" {
			f.record, ok = t.wordFact(ev.Content, at)
		}
		f.customer = ev.Customer()
	case *webhook.StandbyMessage:
		if ev.Message.GroupID == "" {
			f.record, ok = t.wordFact(ev.Message.Content, at)
		}
		f.customer = ev.Customer()
	default:
	}
	return f, ok
}

// wordFact returns what a message says that is nothing but a word of the host's.
func (t *Tracker) wordFact(c webhook.Content, at time.Time) (r ThreadRecord, ok bool) {
	if len(t.cfg.StopWords)+len(t.cfg.ResumeWords) == 0 || c == nil {
		return r, false
	}
	text := stopWord(webhook.ContentText(c))
	is := func(word string) bool { return text != "" && strings.EqualFold(stopWord(word), text) }
	switch {
	case slices.ContainsFunc(t.cfg.StopWords, is):
		return ThreadRecord{StoppedAt: at, StoppedBy: StopByWord}, true
	case slices.ContainsFunc(t.cfg.ResumeWords, is):
		return ThreadRecord{ContinuedAt: at, ContinuedBy: StopByWord}, true
	}
	return r, false
}

// stopWord takes off what people put around a word.
func stopWord(text string) string { return strings.Trim(text, " \t\r\n.,!\"'*_«»“”„¡") }

// followStop stores what an event says about marketing messages, under each alias of the person:
// one who never wrote is no contact yet, and a campaign may know any of the aliases.
func (t *Tracker) followStop(ctx context.Context, ev webhook.Event, now time.Time) error {
	f, ok := t.stopFactOf(ev, now)
	if !ok {
		return nil
	}
	info := ev.Info()
	for _, alias := range Aliases(withoutOwn(f.customer, info.DisplayPhoneNumber)) {
		if err := t.mergeThread(ctx, info.PhoneNumberID, IdentityOf(alias), f); err != nil {
			return err
		}
	}
	return nil
}

// isMarketing reports whether a message is one that a stop ends. A category that is known decides;
// else it is one if it belongs to a campaign, because a code for a sign-in must not be kept back.
func (t *Tracker) isMarketing(ctx context.Context, phone graph.PhoneNumberID, m cloudapi.Message) (bool, error) {
	if m.To.IsGroup() {
		return false, nil
	}
	template, ok := m.Content.(*cloudapi.Template)
	if ok && t.cfg.TemplateCategory != nil {
		category, err := t.cfg.TemplateCategory(ctx, phone, template)
		if err != nil || category != "" {
			return category == graph.TemplateMarketing, err
		}
	}
	if m.Direct != nil && m.Direct.Category != cloudapi.DirectService {
		return false, nil
	}
	return m.Priority == cloudapi.PriorityCampaign, nil
}
