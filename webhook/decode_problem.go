package webhook

import (
	"fmt"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// An errorBody is an [Error] in one of the rarer fields, in which Meta's samples have codes that
// are no numbers.
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

// problems returns the errors of a list, and reports in info what has no place in them. at is the
// path of the list.
func problems(list []errorBody, at string, info *EventInfo) []Error {
	var errs []Error
	for i, b := range list {
		e := Error{Title: b.Title, Message: b.Message, Details: b.Details, Href: b.Href}
		leave := func(name, text string) {
			info.Unknown = append(info.Unknown, UnknownMember{fmt.Sprintf("%s[%d].%s", at, i, name), quoted(text)})
		}
		if n, err := strconv.Atoi(b.Code); err == nil {
			e.Code = graph.Code(n)
		} else if b.Code != "" {
			leave("code", b.Code)
		}
		if b.Data != nil && b.Data.Details != "" {
			if b.Details != "" && b.Details != b.Data.Details {
				leave("details", b.Details)
			}
			e.Details = b.Data.Details
		}
		errs = append(errs, e)
	}
	return errs
}

var errorDecoder = wire.For[errorBody]()
