package cloudapi

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A scrubber holds what must not show up in an error, longest first, and cuts it out. Longest
// first, or a short secret inside of a long one would leave the rest of that.
type scrubber []string

const redacted = "[redacted]"

// minScrubbed is the length of the shortest string that is cut out. Shorter ones are too common to
// be distinguished from ordinary words and numbers.
const minScrubbed = 4

// scrubber returns what to cut out of whatever comes back from a call: the secrets of the client,
// and what the request held, each also as it stands in a query and in a path.
func (c *Client) scrubber(sensitive []string) scrubber {
	auth, cfg := c.auth.Reveal(), c.core.Reveal().cfg
	all := append([]string{auth.token.Reveal(), auth.proof, cfg.AppSecret.Reveal()}, sensitive...)
	var s scrubber
	for _, text := range all {
		for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text)} {
			if len(form) >= minScrubbed && !slices.Contains(s, form) {
				s = append(s, form)
			}
		}
	}
	slices.SortStableFunc(s, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return s
}

var (
	// tokenRe finds access tokens that are not the client's.
	tokenRe = regexp.MustCompile(`\bEAA[0-9A-Za-z_-]{16,}`)

	// queryRe finds the query of a URL, urlRe all of one, quoteRe what the standard library quotes
	// of an answer.
	queryRe = regexp.MustCompile(`(https?://[^\s"'?]*)\?[^\s"']*`)
	urlRe   = regexp.MustCompile(`https?://[^\s"']*`)
	quoteRe = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)
)

// clean cuts out of a text of Meta's what must not be shown. Links to documentation stay.
func (s scrubber) clean(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	text = tokenRe.ReplaceAllString(text, redacted)
	return queryRe.ReplaceAllString(text, "$1?"+redacted)
}

// cleanMeta cuts secrets out of headers, which a proxy or a server may have made of the request.
func (s scrubber) cleanMeta(m *Response) {
	m.Version, m.TraceID, m.RequestID = s.clean(m.Version), s.clean(m.TraceID), s.clean(m.RequestID)
	for i := range m.BusinessUsage {
		u := &m.BusinessUsage[i]
		u.Object, u.Type = s.clean(u.Object), s.clean(u.Type)
	}
}

// cleanError cuts secrets out of all texts of an error of Meta's.
func (s scrubber) cleanError(e *Error) {
	for _, text := range []*string{&e.Message, &e.Details, &e.Type, &e.UserTitle, &e.UserMessage, &e.TraceID} {
		*text = s.cleanDeep(*text)
	}
}

// maxErrorText is how many bytes of a text of Meta's an error holds.
const maxErrorText = 8 << 10

// minPiece is how long a piece of something sensitive has to be to be known again, in bytes.
const minPiece = 12

// cleanDeep cuts out other spellings, too, as the words of an error may hold them: the digits of a
// number with anything between them, a piece of a text or of a secret, either in base64. It costs
// the product of both lengths, so it is for errors alone.
func (s scrubber) cleanDeep(text string) string {
	text = s.clean(text)
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	}
	if len(text) < minDigits {
		return text // most texts of an error are empty
	}
	for _, secret := range s {
		text = cutDigits(text, secret)
		text = cutPieces(text, secret)
		for _, form := range base64Forms(secret) {
			text = cutPieces(text, form)
		}
	}
	return text
}

// minDigits is how many digits make a phone number.
const minDigits = 7

// cutDigits cuts the digits of secret out of text, whatever stands between them, up to three
// characters at a time. A secret with letters is no number.
func cutDigits(text, secret string) string {
	var digits []byte
	for i := range len(secret) {
		switch c := secret[i]; {
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '_', c >= 0x80:
			return text
		}
	}
	if len(digits) < minDigits {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		if n := spelled(text[i:], digits); n > 0 {
			out.WriteString(redacted)
			i += n
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

// spelled returns how long a spelling of digits text begins with, 0 if it does not.
func spelled(text string, digits []byte) int {
	next, between := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == digits[next]:
			between = 0
			if next++; next == len(digits) {
				return i + 1
			}
		case next == 0 || c >= '0' && c <= '9':
			return 0
		default:
			if between++; between > 3 {
				return 0
			}
		}
	}
	return 0
}

// cutPieces cuts every piece of secret out of text that has minPiece bytes.
func cutPieces(text, secret string) string {
	if len(secret) < minPiece {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		end := i + minPiece
		if end > len(text) || !strings.Contains(secret, text[i:end]) {
			out.WriteByte(text[i])
			i++
			continue
		}
		for end < len(text) && strings.Contains(secret, text[i:end+1]) {
			end++
		}
		out.WriteString(redacted)
		i = end
	}
	return out.String()
}

// base64Forms returns what of secret base64 shows the same wherever secret stands in what is
// encoded: three alignments, in both alphabets.
func base64Forms(secret string) []string {
	if len(secret) < minPiece {
		return nil
	}
	var forms []string
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for skip := range 3 {
			whole := (len(secret) - skip) / 3 * 3
			forms = append(forms, enc.EncodeToString([]byte(secret[skip:skip+whole])))
		}
	}
	return forms
}

// cause makes an error of the transport fit to be shown. It keeps the error itself where its text
// holds nothing of the request or the answer, so that errors.As still finds what is inside.
func (s scrubber) cause(err error) error {
	for {
		e, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = e.Err
	}
	if err == nil {
		return errors.New("the connection failed")
	}
	text := s.cleanDeep(err.Error())
	text = urlRe.ReplaceAllString(text, "[url]")
	text = quoteRe.ReplaceAllString(text, "[quoted]")
	if text == err.Error() {
		return err
	}
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return &hiddenError{
		text:    text,
		is:      func(target error) bool { return errors.Is(err, target) },
		timeout: ok && timeout.Timeout(),
	}
}

// A hiddenError stands for an error whose text must not be shown. It matches what that error
// matches and hands out nothing of it; a closure holds it, into which fmt does not look.
type hiddenError struct {
	text    string
	is      func(target error) bool
	timeout bool
}

func (e *hiddenError) Error() string        { return e.text }
func (e *hiddenError) Is(target error) bool { return e.is(target) }
func (e *hiddenError) Timeout() bool        { return e.timeout }
