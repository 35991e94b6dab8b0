package coexistencetest

import (
	"errors"
	"strings"
)

var errNoRequest = errors.New("coexistencetest: the phone was not asked to connect; enter its number into the popup " +
	"first")

// LastCode returns the code that the phone showed last, for the popup. Empty if no popup has asked
// for this phone yet, or its owner has refused.
func (p *Phone) LastCode() string {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.lastCode
}

// ScanQR points the phone's camera at the popup: [Popup.QR]. It stands for the code, and is a
// choice beside it; the confirmation is still needed. It fails for the QR code of another popup.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
func (p *Phone) ScanQR(payload string) error {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	d := p.request
	switch {
	case d == nil:
		return errNoRequest
	case strings.TrimSpace(payload) != d.qr():
		return errors.New("coexistencetest: this is not the QR code of the popup that waits for this phone")
	}
	d.verified = true
	p.world.relied.on(relyQR)
	d.proceed()
	return nil
}

// HistorySharing is what a business answers on its phone when Meta asks whether to share its chats.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
type HistorySharing int

const (
	// HistoryShared shares the chats of the last six months.
	HistoryShared HistorySharing = iota

	// HistoryDeclined shares none: a request for the history is answered with
	// [graph.CodeHistorySharingOff].
	HistoryDeclined
)

// Confirm taps Connect and Confirm in the message from Meta, with the choice whether to share the
// chats. The popup goes on once the code was entered, too. It fails if no popup waits for the
// phone.
func (p *Phone) Confirm(sharing HistorySharing) error {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.request == nil {
		return errNoRequest
	}
	// The answer about the chats is part of the confirmation, and cannot be changed later: it takes
	// a new signup.
	p.request.confirmed, p.request.share = true, sharing == HistoryShared
	p.used()
	p.world.relied.on(relyPopup)
	p.request.proceed()
	return nil
}

// Refuse taps Cancel in the message from Meta. The popup goes no further with this number; close
// it, or enter another one.
func (p *Phone) Refuse() error {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.request == nil {
		return errNoRequest
	}
	p.request.confirmed, p.request.verified, p.request.code = false, false, ""
	p.request, p.lastCode = nil, ""
	return nil
}
