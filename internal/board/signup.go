package board

import (
	"context"
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

var errNoPopup = errors.New("open the popup first")

// signUp does what the business does in the popup of Embedded Signup, and on its phone meanwhile:
// there it confirms, scans the QR code, and decides about its history. When the popup is through,
// the board connects the number, unless it is Bare: then the host's page does that with the code.
func (b *Board) signUp(ctx context.Context, a action) (string, error) {
	if a.Do == "open" {
		popup, err := b.world.OpenSignup(b.launch())
		if err == nil {
			err = popup.ChooseExistingAccount()
		}
		if err != nil {
			return "", err
		}
		b.mu.Lock()
		b.popup = popup
		b.mu.Unlock()
		return "Embedded Signup is open: enter the number of the app", nil
	}
	switch a.Do { // on the phone, which may be asked by a popup that this board has not opened
	case "share":
		return "Confirmed on the phone", b.phone.Confirm(coexistencetest.HistoryShared)
	case "decline":
		return "Confirmed on the phone", b.phone.Confirm(coexistencetest.HistoryDeclined)
	case "refuse":
		return "Refused on the phone", b.phone.Refuse()
	case "scan":
		q, _ := b.phone.Prompt()
		return "The phone has scanned the QR code", b.phone.ScanQR(q.QR)
	}
	b.mu.Lock()
	popup := b.popup
	b.mu.Unlock()
	if popup == nil {
		return "", errNoPopup
	}
	switch a.Do {
	case "number":
		return "The phone shows a code, and a message from Meta", popup.EnterNumber(a.Text)
	case "code":
		return "The code is right", popup.VerifyCode(a.Text)
	case "cancel":
		_, err := popup.Cancel()
		b.closePopup()
		return "The popup is closed", err
	}
	result, err := popup.Finish()
	if err != nil {
		return "", err
	}
	b.closePopup()
	if b.cfg.Bare {
		return "Connected. Your page gets the code " + result.Code.Reveal() + ", good for 30 seconds", nil
	}
	return b.connect(ctx, cloudapi.CodeExchangeParams{Code: result.Code})
}

// closePopup forgets the popup, which is through or cancelled.
func (b *Board) closePopup() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.popup = nil
}

// connect does what a host does first: it exchanges the code and subscribes to every account that
// holds the number.
func (b *Board) connect(ctx context.Context, x cloudapi.CodeExchangeParams) (string, error) {
	token, err := b.client.OAuth.Exchange(ctx, x)
	if err != nil {
		return "", err
	}
	for _, waba := range b.phone.WABAs() {
		if err := b.client.WithToken(token.Token).WABAs.Subscribe(ctx, waba); err != nil {
			return "", err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token = token.Token
	return "Connected. The code was exchanged and the app subscribed for you; ask for contacts and history now", nil
}
