package coexistencetest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// finish ends the popup well: it makes the number coexist, or adds an ordinary one, issues the
// code, and tells the partner that the account is shared.
// The message to the page, the code and the webhooks are independent of each other, at Meta as
// here: the page may get no message, the options may yield a token in place of a code, and the
// webhooks may be the first that the host hears. The caller must hold the world's mu.
func (w *World) finish(d *dialog) {
	var message []byte
	var shared []graph.WABAID // newest grant first
	var business graph.BusinessID
	if d.existing {
		p := d.phone
		w.onboard(p, d)
		business, shared = p.owner, slices.Clone(p.wabas)
		// The message names the account that the popup named; the token may reach others.
		message = finishMessage(w.cfg.Session, p.wabas[0], p.id, business)
	} else {
		phone, owner := w.addOrdinary(d)
		business, shared = owner, phone.WABAs
		if w.cfg.Session != SessionLost {
			message = sessionMessage("FINISH", 0,
				str("phone_number_id", phone.ID), str("waba_id", shared[0]), str("business_id", business))
		}
	}
	token := cloudapitest.Token{
		BusinessID: business, WABAs: shared, Lifetime: w.cfg.TokenLifetime, HideTargets: w.cfg.HideTargets,
	}
	result := &SignupResult{Message: message}
	if d.launch.Response == "code" && d.launch.Override {
		result.Code = w.graph.AddCode(cloudapitest.AuthorizationCode{Token: token, RedirectURI: d.launch.Redirect})
		result.LoginResponse = callback(result.Code, "")
	} else {
		// Without these two options FB.login answers with a token of the person instead of a code.
		result.LoginResponse = callback("", w.graph.AddToken(cloudapitest.Token{Type: cloudapitest.TokenUser,
			WABAs: shared}))
	}
	d.result = result
	d.end()
	// The two updates are nine seconds apart in the field, and can arrive in either order.
	for _, id := range shared {
		w.tellPartner(id, business, "PARTNER_ADDED", w.Now())
		w.tellPartner(id, business, "PARTNER_APP_INSTALLED", w.Now().Add(9*time.Second),
			str("partner_app_id", w.AppID()))
	}
}

// onboard makes the phone's number coexist. The second time it keeps its id and accounts, which are
// readable again, and each sync can be asked for again: the Graph API begins a new window. The
// caller must hold the world's mu.
func (w *World) onboard(p *Phone, d *dialog) {
	// The first signup of a number makes its accounts. A later one finds them again, with the
	// number's id.
	if len(p.wabas) == 0 {
		p.wabas = []graph.WABAID{w.chooseAccount(p.cfg.Business, p.owner, p.number, d.account)}
		if p.cfg.SecondAccount {
			p.wabas = append(p.wabas, w.chooseAccount(p.cfg.Business, p.owner, p.number, ""))
		}
		p.id = w.graph.AddPhone(cloudapitest.Phone{
			ID: graph.PhoneNumberID(w.seededID("phone", p.digits())), WABAs: p.wabas,
			PhoneNumber: display(p.number), Name: p.cfg.Business,
		}).ID
	} else {
		for _, id := range p.wabas {
			w.graph.AttachWABA(id)
		}
		w.graph.Onboard(p.id)
	}
	p.stage, p.shares, p.onboardedAt = stageConnected, d.share, w.Now()
	p.applyRouting()
}

// chooseAccount returns the account that the business chose to share, or a new one with the
// templates of the world, whose id depends on the number that it is made for. The caller must hold
// the world's mu.
func (w *World) chooseAccount(name string, owner graph.BusinessID, number string, chosen graph.WABAID) graph.WABAID {
	if chosen != "" {
		return chosen
	}
	id := w.graph.AddWABA(cloudapitest.WABA{
		ID: graph.WABAID(w.seededID("account", phonenumber.Digits(number))), Name: name, OwnerBusinessID: owner,
	}).ID
	for _, t := range w.cfg.Templates {
		w.graph.AddTemplate(cloudapitest.Template{
			ID:     graph.TemplateID(w.seededID("template", string(id)+" "+t.Name+" "+t.Language)),
			WABAID: id, TemplateCreateParams: t,
		})
	}
	return id
}

// addOrdinary adds the number of a business that got into the flow for new numbers, by choice or
// because the launch options were wrong. The number exists on Cloud API alone and waits for
// registration. The caller must hold the world's mu.
func (w *World) addOrdinary(d *dialog) (cloudapitest.Phone, graph.BusinessID) {
	owner := d.business
	if owner == "" {
		owner = w.graph.AddBusiness(cloudapitest.Business{}).ID
	}
	account := w.chooseAccount("", owner, d.number, d.account)
	return w.graph.AddPhone(cloudapitest.Phone{
		WABAs: []graph.WABAID{account}, PhoneNumber: display(d.number), CloudAPIOnly: true, Unregistered: true,
		Unverified: !d.verified,
	}), owner
}

// display is how the Graph API shows a number. Meta formats it by country; a plus sign is all that
// is certain, so a host must compare digits.
func display(number string) string {
	if number != "" && number[0] == '+' {
		return number
	}
	return "+" + phonenumber.Digits(number)
}

// tellPartner sends an account_update about the partner's relation to an account. Its entry carries
// the partner's portfolio, not the account: that is in waba_info. The caller must hold the world's
// mu.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (w *World) tellPartner(id graph.WABAID, owner graph.BusinessID, event string, at time.Time, more ...member) {
	info := append([]member{str("waba_id", id), str("owner_business_id", owner)}, more...)
	w.dispatcher.send(change{
		field: "account_update", entry: string(w.partner), at: at.Unix(), waba: id, partner: true,
		value: object(str("event", event), sub("waba_info", object(info...))),
	})
}
