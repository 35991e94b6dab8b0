package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mdp/qrterminal/v3"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

// eligibility asks before the popup opens: Meta would refuse an app that is too old, a number that
// is too new on it, or a country where coexistence is not offered, and only after the business has
// typed everything in. Unknown facts are questions to ask, not refusals.
func (s *story) eligibility(context.Context) error {
	// The default is the documented policy: app 2.24.17 or higher, no number from Nigeria or South
	// Africa, an active account, a verified number. Meta has lifted the countries since, which a
	// refusal says; -policy today follows Meta.
	policy := s.policy(time.Now())
	s.say("by %s (-policy names others)", policy.Name)
	own := eligibility.Candidate{
		PhoneNumber: s.phone.PhoneNumber(), App: eligibility.AppBusiness, AppVersion: "2.24.17.79",
		AccountActive: eligibility.Yes, PhoneVerified: eligibility.Yes,
	}
	old, nigeria, southAfrica, private, suspended, unverified := own, own, own, own, own, own
	old.AppVersion = "2.24.9"
	nigeria.PhoneNumber, southAfrica.PhoneNumber = "+234 803 555 0101", "+27 82 555 0101"
	private.App = eligibility.AppConsumer
	suspended.AccountActive, unverified.PhoneVerified = eligibility.No, eligibility.No
	for _, c := range []eligibility.Candidate{old, nigeria, southAfrica, private, suspended, unverified, own} {
		result := eligibility.Check(c, policy)
		s.say("%s with the %s app %s: %s", result.PhoneNumber, c.App, c.AppVersion, result.Decision)
		for _, r := range append(result.Reasons, result.Questions...) {
			s.say("  %s", r)
		}
	}
	return nil
}

// signup plays the page, the popup and the phone. Against Meta all of it happens in the business's
// browser, by signup's script; the host sees the two POSTs.
func (s *story) signup(ctx context.Context) error {
	// The state is a nonce that binds all that follows to the tenant who is signed in to the host.
	var begun struct {
		State  string          `json:"state"`
		Launch json.RawMessage `json:"launch"`
	}
	if err := s.post(ctx, "/signup/begin", struct{}{}, &begun); err != nil {
		return err
	}
	s.say("page   asks the host for the launch options and opens Meta's popup")
	popup, err := s.world.OpenSignup(begun.Launch)
	if err != nil {
		return err
	}
	if err := errors.Join(popup.ChooseExistingAccount(), popup.EnterNumber(s.phone.PhoneNumber())); err != nil {
		return err
	}
	s.say("popup  connect the existing WhatsApp Business app, number %s; it shows a QR code:", s.phone.PhoneNumber())
	s.say("")
	qrterminal.GenerateWithConfig(popup.QR(), qrterminal.Config{
		Level: qrterminal.L, Writer: s.out, HalfBlocks: true, QuietZone: 2,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
	s.say("")
	if err := errors.Join(s.phone.ScanQR(popup.QR()), s.phone.Confirm(coexistencetest.HistoryShared)); err != nil {
		return err
	}
	s.say("phone  scans it, and confirms: connect, and share the chats of the last six months")
	result, err := popup.Finish()
	if err != nil {
		return err
	}
	s.say("popup  tells the page %s, with a code that lives for 30 seconds", result.Message)

	// The message names the account and no number. The host finds both with the token that it gets
	// for the code, and believes nothing that only the browser said.
	var finished struct {
		Outcome string `json:"outcome"`
		Phone   string `json:"phone"`
	}
	err = s.post(ctx, "/signup/finish", map[string]json.RawMessage{
		"state": quote(begun.State), "session": result.Message, "callback": result.LoginResponse,
	}, &finished)
	if err != nil {
		return err
	}
	s.number = s.phone.ID()
	s.say("host   exchanged the code, verified token and number, subscribed the app: %s, %s",
		finished.Outcome, finished.Phone)
	return nil
}

func quote(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string cannot fail
	return b
}

// sync watches what the host asked for in connected arrive. Both requests can be made once for each
// signup, within 24 hours: the tracker notes them before it makes them, and refuses another one
// without asking Meta. To ask again, the business would have to disconnect and sign up again.
func (s *story) sync(ctx context.Context) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	s.say("host   asked for contacts (request %s) and history (request %s)",
		st.Contacts.RequestID, st.History.RequestID)
	bar := newProgress(s.out)
	for st.History.Status.Outstanding() { // a number with years of chats takes hours against Meta
		bar.set(st.History)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if st, err = s.state(ctx); err != nil {
			return err
		}
	}
	bar.set(st.History)
	bar.done()
	if err := s.arrive(ctx); err != nil {
		return err
	}
	if st, err = s.state(ctx); err != nil {
		return err
	}
	s.say("host   history %s, contacts %s", st.HistoryStatus(time.Now()), st.ContactsStatus(time.Now()))
	// Chunks arrive in any order. A gap is one that is missing below the highest that came: Meta
	// may still send it.
	for _, p := range st.History.Phases {
		s.say("       phase %d: %d chunks", p.Phase, p.Chunks.Len())
	}
	for _, g := range st.History.Gaps() {
		s.say("       phase %d misses chunks %v", g.Phase, g.Chunks)
	}
	_, err = s.host.tracker.RequestSync(ctx, s.number)
	if !errors.Is(err, coexistence.ErrSyncAlreadyRequested) {
		return fmt.Errorf("a second request was not refused: %w", err)
	}
	s.say("host   asks once more by mistake; the guard refuses before Meta is called: the one request was made")
	return nil
}

// live is a conversation of customer, API and phone, then an edit and a deletion. What the owner
// writes on the phone arrives as an echo: nothing to answer, but the sign that a person has taken
// over, for which the bot falls silent.
func (s *story) live(ctx context.Context) error {
	s.say("Ada    asks something. Nobody is at the phone, so the host's bot answers through Cloud API")
	s.ada.Send("Is there rye tomorrow?")
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.say("phone  the baker comes, answers in the app, and corrects the answer: the host sees echoes")
	answer := s.phone.Send(s.ada, "Yes, from 8") // from here on the bot is silent in this chat
	if err := s.settle(ctx); err != nil {
		return err
	}
	// An edit is an event of its own; the host's message keeps what it said before.
	if _, err := s.phone.Edit(answer, "Yes, from 7"); err != nil {
		return err
	}
	s.say("host   somebody in the back office writes through Cloud API, which appears on the phone too")
	if _, err := s.host.tracker.Send(ctx, s.number, cloudapi.Message{
		To: cloudapi.ToIdentity(s.ada.Identity()), Content: &cloudapi.Text{Body: "Shall we keep a loaf for you?"},
	}); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.say("Ada    answers, edits, and takes a message back; with a person in the chat the bot is silent")
	yes := s.ada.Send("Yes pleas")
	if err := s.settle(ctx); err != nil {
		return err
	}
	oops := s.ada.Send("And my keys are on the shelf")
	if err := s.settle(ctx); err != nil {
		return err
	}
	if _, err := s.ada.Edit(yes, "Yes please!"); err != nil {
		return err
	}
	if _, err := s.ada.Revoke(oops); err != nil {
		return err
	}
	s.say("Ben    a new customer without a visible phone number, writes, and gets the bot's answer")
	// Since 2026 a customer may have a user name in place of a number. cloudapi.ToIdentity answers
	// either.
	ben := s.phone.AddCustomer(coexistencetest.CustomerConfig{Name: "Ben", Username: "ben.bakes"})
	ben.Send("When are you open?")
	if err := s.settle(ctx); err != nil {
		return err
	}
	// Ada: the bot's first answer, and the back office. Ben: the bot's.
	for who, want := range map[*coexistencetest.Customer]int{s.ada: 2, ben: 1} {
		got := 0
		for _, m := range s.phone.Chat(who) {
			if m.Author == coexistencetest.AuthorAPI {
				got++
			}
		}
		if got != want {
			return fmt.Errorf("%s got %d messages through Cloud API, not %d", who.Name(), got, want)
		}
	}
	s.say("       one in ten webhooks came twice, and nobody was answered twice")
	return nil
}

// changePhone moves the app to another phone. In between the number is suspended: a host pauses
// what it sends, and keeps everything. When it is back, only a read of the number is certain, since
// updates arrive in any order.
func (s *story) changePhone(ctx context.Context) error {
	s.phone.ChangeDevice()
	if err := s.sayStage(ctx, "the app moves to a new phone"); err != nil {
		return err
	}
	s.phone.Reconnect()
	if err := s.sayStage(ctx, "the new phone is ready"); err != nil {
		return err
	}
	s.say("host   reads the number to be sure, because such updates arrive in any order")
	st, err := s.host.tracker.Refresh(ctx, s.number) // one GET of the number; Tracker.Run does it, too
	if err != nil {
		return err
	}
	if st.Stage != coexistence.StageActive {
		return fmt.Errorf("the number is %s after it came back", st.Stage)
	}
	s.say("       it is in the app and on Cloud API")
	return nil
}

// goodbye disconnects in the app's settings. The host may keep what it has; it may no longer send,
// and only a new signup brings the number back.
func (s *story) goodbye(ctx context.Context) error {
	s.phone.Disconnect()
	if err := s.sayStage(ctx, "the business disconnects in the app"); err != nil {
		return err
	}
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	if st.Stage != coexistence.StageRemoved {
		return fmt.Errorf("the number is %s after it was disconnected", st.Stage)
	}
	s.say("       shown to the business: %s", st.Remedy())
	return nil
}

// sayStage says what the host knows of the number after something happened, and what that means.
func (s *story) sayStage(ctx context.Context, what string) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	s.say("phone  %s", what)
	s.say("host   state %q", st.Stage)
	s.say("       so: %s", st.Stage.Advice())
	return nil
}

// settle waits until everything that happened has reached the host, and the next second has begun:
// WhatsApp's times have no finer grain, and people do not answer within one.
func (s *story) settle(ctx context.Context) error {
	if err := s.arrive(ctx); err != nil {
		return err
	}
	now := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(now.Truncate(time.Second).Add(time.Second).Sub(now)):
		return nil
	}
}
