package webhook

import (
	"fmt"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// maxErrors is how many errors one item can have. Meta sends one.
const maxErrors = 1_000

// readErrors reads the errors of a message, a status or a history. Errors that are null are none.
func readErrors(s *wire.Scanner) []Error {
	var list []Error
	if s.Array() {
		for s.NextElement() {
			if s.Null() {
				continue
			}
			if len(list) == maxErrors {
				s.Refuse(tooMany)
				s.Skip()
				continue
			}
			list = append(list, readError(s))
		}
	}
	return list
}

// readError reads one error. Details stand in error_data, and before v16 stood beside it: those
// count where the others are absent, and are reported as unplaced where the two differ.
func readError(s *wire.Scanner) Error {
	var e Error
	if !s.Object() {
		return e
	}
	var details, oldDetails []byte // their JSON; nil if absent
	var oldText string
	for s.NextMember() {
		switch string(s.Name()) {
		case "code":
			e.Code = graph.Code(s.IntOrUnknown())
		case "title":
			e.Title = s.Text()
		case "message":
			e.Message = s.Text()
		case "href":
			e.Href = s.Text()
		case "details":
			mark := s.Mark()
			oldText = s.Text()
			oldDetails = s.Since(mark)
		case "error_data":
			e.Details, details = readErrorData(s)
		default:
			s.Unknown()
		}
	}
	switch {
	case details == nil:
		e.Details = oldText
	case oldDetails != nil && string(oldDetails) != string(details):
		s.Unplaced("details", oldDetails)
	}
	return e
}

// readErrorData reads the details in error_data, and returns their JSON too; nil if absent.
func readErrorData(s *wire.Scanner) (details string, raw []byte) {
	if !s.Object() {
		return "", nil
	}
	for s.NextMember() {
		if string(s.Name()) == "details" {
			mark := s.Mark()
			details = s.Text()
			raw = s.Since(mark)
		} else {
			s.Unknown()
		}
	}
	return details, raw
}

// An errorBody is an [Error] in one of the fields that [fieldReaders] reads. Meta's samples have
// codes in them that are no numbers.
type errorBody struct {
	Code    string `json:"code"`
	Title   string `json:"title"`
	Message string `json:"message"`
	Href    string `json:"href"`
	Details string `json:"details"` // before v16
	Data    *struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

// errorsOf returns the errors of a list, and reports members without a place in info. at is the
// path of the list.
func errorsOf(list []errorBody, at string, info *EventInfo) []Error {
	var errs []Error
	for i, b := range list {
		e := Error{Title: b.Title, Message: b.Message, Details: b.Details, Href: b.Href}
		report := func(name, text string) {
			info.Unknown = append(info.Unknown, UnknownMember{fmt.Sprintf("%s[%d].%s", at, i, name), quoted(text)})
		}
		if n, err := strconv.Atoi(b.Code); err == nil {
			e.Code = graph.Code(n)
		} else if b.Code != "" {
			report("code", b.Code)
		}
		if b.Data != nil && b.Data.Details != "" {
			if b.Details != "" && b.Details != b.Data.Details {
				report("details", b.Details)
			}
			e.Details = b.Data.Details
		}
		errs = append(errs, e)
	}
	return errs
}

var errorDecoder = wire.For[errorBody]()
