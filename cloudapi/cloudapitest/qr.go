package cloudapitest

import (
	"encoding/json"
	"unicode/utf8"
)

// A qrCode is a link that opens a chat.
type qrCode struct {
	Code      string `json:"code"`
	Prefilled string `json:"prefilled_message"`
	URL       string `json:"deep_link_url"`
	Image     string `json:"qr_image_url,omitzero"` // empty if none was asked for
}

// qrCodes returns the codes of the call's number.
func (s *Server) qrCodes(c *call) []*qrCode {
	return all[qrCode](s, kindQR, func(o *object) bool { return o.phone == c.phone })
}

// listCodes answers with the codes of a number, all of their members, whatever was asked for.
func (s *Server) listCodes(c *call) reply {
	var nodes []node
	for _, q := range s.qrCodes(c) {
		var n node
		_ = json.Unmarshal(raw(q), &n)
		nodes = append(nodes, n)
	}
	return s.page(c, nodes)
}

// findCode finds a code of the call's number, or returns nil.
func (s *Server) findCode(c *call, code string) *qrCode {
	for _, q := range s.qrCodes(c) {
		if q.Code == code {
			return q
		}
	}
	return nil
}

// getCode reads one code, which Meta wraps into a list.
func (s *Server) getCode(c *call) reply {
	q := s.findCode(c, c.last)
	if q == nil {
		return refuse(notFound(c.method, c.last))
	}
	return listed(q)
}

// postCode makes a code, or changes the text of the one that is named: Meta has one call for both.
// Codes have Meta's alphabet and length. A picture has a URL that leads nowhere.
func (s *Server) postCode(c *call) reply {
	text, err := prefilled(c)
	if err != nil {
		return refuse(err)
	}
	if code := c.get("code"); code != "" {
		return s.changeCode(c, code, text)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	code := make([]byte, 14)
	for i := range code {
		code[i] = alphabet[s.rand.IntN(len(alphabet))]
	}
	q := &qrCode{Code: string(code), Prefilled: text, URL: "https://wa.me/message/" + string(code)}
	if c.get("generate_qr_image") != "" {
		q.Image = s.URL + "/made-up-qr/" + q.Code
	}
	s.put(&object{id: "qr:" + q.Code, kind: kindQR, phone: c.phone, value: q})
	return ok(q)
}

// editCode changes the text of the code that the path names, as older samples of Meta's and clients
// do it.
func (s *Server) editCode(c *call) reply {
	text, err := prefilled(c)
	if err != nil {
		return refuse(err)
	}
	return s.changeCode(c, c.last, text)
}

// changeCode gives a code another text.
func (s *Server) changeCode(c *call, code, text string) reply {
	q := s.findCode(c, code)
	if q == nil {
		return refuse(notFound(c.method, code))
	}
	q.Prefilled = text
	return ok(q)
}

// prefilled reads and checks the text of a code.
func prefilled(c *call) (string, *graphError) {
	text := c.get("prefilled_message")
	if n := utf8.RuneCountInString(text); n == 0 || n > 140 {
		return "", invalid("prefilled_message must be 1 to 140 characters long")
	}
	return text, nil
}

// deleteCode removes a code.
func (s *Server) deleteCode(c *call) reply {
	if s.findCode(c, c.last) == nil {
		return refuse(notFound(c.method, c.last))
	}
	s.drop("qr:" + c.last)
	return success
}
