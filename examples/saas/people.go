package main

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// shownPeople is how many people the form of a campaign reads at a time.
const shownPeople = 100

// A peopleQuery is the selection in the form of a campaign. The zero value selects all people with
// messages.
type peopleQuery struct {
	Text  string             // which begins names, or the number
	Days  int                // within which the customer wrote; zero for at any time, or never
	Below coexistence.Cursor // of the person whom they are behind
}

// Spans are the days that the form offers.
func (peopleQuery) Spans() []int { return []int{1, 7, 30, 90} }

// newPeopleQuery parses the query of a page's address. Invalid values are ignored.
func newPeopleQuery(v url.Values) peopleQuery {
	days, _ := strconv.ParseUint(v.Get("days"), 10, 16)
	return peopleQuery{strings.TrimSpace(v.Get("q")), int(days), cursor(v, "below")}
}

// A peoplePage is a page of the selected people.
type peoplePage struct {
	Query  peopleQuery
	People []coexistence.Conversation // those with the latest message first; of a search, by name
	Next   string                     // leads to the next page, if there may be one
	Cut    bool                       // the search has more than is shown
}

// people returns a page of the selected people: with a search, all known people with that name;
// without, all people with messages. Only messages that were received live count as written by the
// customer, not imported chats.
//
// The list of conversations begins with the latest message: behind the first one that is too old,
// no customer has written since.
func (a *app) people(
	ctx context.Context, phone graph.PhoneNumberID, q peopleQuery, now time.Time,
) (p peoplePage, err error) {
	p.Query = q
	since := time.Time{}
	if q.Days > 0 {
		since = now.AddDate(0, 0, -q.Days)
	}
	if q.Text != "" {
		p.People, err = a.tracker.Store().FindPeople(ctx, phone, q.Text, shownPeople+1)
		p.Cut = len(p.People) > shownPeople
	} else {
		p.People, err = a.tracker.Store().ListConversations(ctx, phone, coexistence.ConversationListOptions{
			After: q.Below, Limit: shownPeople + 1,
		})
	}
	if len(p.People) > shownPeople {
		p.People = p.People[:shownPeople]
		if last := p.People[shownPeople-1]; q.Text == "" && !last.LastAt.Before(since) {
			p.Next = "?" + url.Values{"days": {strconv.Itoa(q.Days)}, "below": {string(last.Cursor())}}.Encode()
		}
	}
	p.People = slices.DeleteFunc(p.People, func(c coexistence.Conversation) bool {
		return q.Days > 0 && c.CustomerAt.Before(since) || c.Contact.Identity.Key() == "" // a group has none
	})
	return p, err
}
