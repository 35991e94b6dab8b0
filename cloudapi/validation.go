package cloudapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A ValidationError is one rule that a request breaks. The error of a call that was not made is
// [ErrValidation] and joins them all; [ValidationErrors] takes it apart.
type ValidationError struct {
	// Text names the member and the rule. It quotes nothing that was to be sent.
	Text string

	// Limit means that the rule is a limit of Meta's, which [Message].SkipValidation leaves to
	// Meta. Without it the request could not be made at all.
	Limit bool

	// Missing means that something required is not there.
	Missing bool
}

// Error describes the rule.
func (p *ValidationError) Error() string { return "cloudapi: " + p.Text }

// ValidationErrors returns all rules that an invalid request breaks, or nil for any other error.
func ValidationErrors(err error) []*ValidationError {
	if !errors.Is(err, ErrValidation) {
		return nil
	}
	var list []*ValidationError
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) { //nolint:errorlint // walks the tree by itself
		case *ValidationError:
			list = append(list, e)
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return list
}

// problems collects everything that is wrong with a request, so that a caller learns it at once.
type problems struct {
	prefix    string // names the endpoint, where the arguments do not
	unchecked bool   // leaves limits to Meta, see [Message].SkipValidation
	list      []error
}

// put adds a rule that is broken, unless it is a limit and limits are left to Meta.
func (p *problems) put(limit, missing bool, format string, args []any) {
	if limit && p.unchecked {
		return
	}
	p.list = append(p.list, &ValidationError{
		Text: p.prefix + fmt.Sprintf(format, args...), Limit: limit, Missing: missing,
	})
}

// add reports what makes a request impossible.
func (p *problems) add(format string, args ...any) { p.put(false, false, format, args) }

// missing reports the absence of what a request is impossible without.
func (p *problems) missing(format string, args ...any) { p.put(false, true, format, args) }

// limit reports what breaks a limit of Meta's, which may have moved since.
func (p *problems) limit(format string, args ...any) { p.put(true, false, format, args) }

// needs reports an id or name without which a request is impossible.
func (p *problems) needs(what, value string) {
	if value == "" {
		p.missing("%s is empty", what)
	}
}

// required reports a text that Meta requires and that is empty.
func (p *problems) required(what, text string) {
	if strings.TrimSpace(text) == "" {
		p.put(true, true, "%s is empty", []any{what})
	}
}

// utf8 reports text that JSON cannot carry: the encoder would replace its bytes without an error.
func (p *problems) utf8(what, text string) {
	if !utf8.ValidString(text) {
		p.add("%s is not valid UTF-8", what)
	}
}

// atMost reports text that is too long. Lengths count characters as Go does.
func (p *problems) atMost(what, text string, limit int) {
	if n := utf8.RuneCountInString(text); n > limit {
		p.limit("%s has %d characters; Meta accepts %d", what, n, limit)
	}
	p.utf8(what, text)
}

// text reports text that is empty or too long.
func (p *problems) text(what, text string, limit int) {
	p.required(what, text)
	p.atMost(what, text, limit)
}

// count reports a list with too few or too many elements.
func (p *problems) count(what string, n, least, most int) {
	switch {
	case n == 0 && least > 0:
		p.limit("%s is empty", what)
	case n < least:
		p.limit("%s has %d elements; Meta wants at least %d", what, n, least)
	case n > most:
		p.limit("%s has %d elements; Meta accepts %d", what, n, most)
	}
}

// within reports a number outside of a range.
func (p *problems) within(what string, n, least, most int) {
	if n < least || n > most {
		p.limit("%s is %d; Meta accepts %d to %d", what, n, least, most)
	}
}

// err returns what was collected, joined behind [ErrValidation], or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return errors.Join(append([]error{ErrValidation}, p.list...)...)
}

// invalid is an error about an argument.
func invalid(text string) error {
	p := problems{}
	p.add("%s", text)
	return p.err()
}

// privateStrings returns the strings in what is to be sent that no error may repeat: all but Meta's
// own words.
func privateStrings(v json.Marshaler) []string {
	raw, err := v.MarshalJSON()
	if err != nil {
		return nil
	}
	var list []string
	for _, s := range jsonStrings(raw) {
		if !wireWords[s] {
			list = append(list, s)
		}
	}
	return list
}

// wireWords are values of Meta's own in messages. They tell nothing of a message, and its errors
// are made of them.
var wireWords = map[string]bool{
	"action": true, "address_message": true, "body": true, "button": true, "buttons": true,
	"call_permission_request": true, "carousel": true, "catalog": true, "catalog_message": true, "coupon_code": true,
	"cta_url": true, "currency": true, "document": true, "flow": true, "footer": true, "header": true, "image": true,
	"limited_time_offer": true, "list": true,
	"location": true, "location_request_message": true, "order_details": true, "order_status": true, "payload": true,
	"product": true, "product_list": true, "quick_reply": true, "reply": true, "request_contact_info": true,
	"review_and_pay": true, "review_order": true, "send_location": true, "text": true, "type": true, "url": true,
	"video": true, "voice_call": true, "navigate": true, "data_exchange": true, "published": true, "draft": true,
	"digital-goods":  true,
	"physical-goods": true, "pending": true, "processing": true, "shipped": true, "completed": true, "canceled": true,
	"tap_target_configuration": true, "ttl_minutes": true, "group_id": true,
}
