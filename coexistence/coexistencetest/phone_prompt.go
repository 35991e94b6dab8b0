package coexistencetest

// A PhonePrompt is what the phone asks its owner while a popup wants to connect its number.
type PhonePrompt struct {
	// Code is what the phone shows, to be entered into the popup: [Phone.LastCode].
	Code string

	// QR is what the popup shows, for [Phone.ScanQR]. A page that shows the phone has no camera,
	// and uses this instead.
	QR string

	// Verified means that the popup has the code, or the phone has scanned. Confirmed means that
	// [Phone.Confirm] was called; then the popup goes on as soon as both are true.
	Verified, Confirmed bool
}

// Prompt returns what the phone asks now. ok is false as long as no popup waits for the phone. It
// is for pages that show the phone beside a popup in another window, where no code holds the
// [Popup].
func (p *Phone) Prompt() (q PhonePrompt, ok bool) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	d := p.request
	if d == nil || d.screen != ScreenVerify {
		return PhonePrompt{}, false
	}
	return PhonePrompt{Code: d.code, QR: d.qr(), Verified: d.verified, Confirmed: d.confirmed}, true
}
