package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// ahead looks at a value before it is read. Meta writes the objects of which most deliveries
// consist with the same members in the same order and without white space, and to know what comes
// next saves most of the work of finding out.
//
// It reads nothing from the scanner: once anything looks different, it is lost, all its methods
// return nothing, and the value is read by the one who reads all of its forms. A test compares what
// the two make of the same bytes.
type ahead struct {
	s    *wire.Scanner
	d    []byte // from the value on
	i    int    // how much of it was understood
	lost bool
}

func lookAhead(s *wire.Scanner) ahead { return ahead{s: s, d: s.Rest()} }

// word moves behind w if it comes next, and reports whether it did.
func (a *ahead) word(w string) bool {
	if a.lost || len(a.d)-a.i < len(w) || string(a.d[a.i:a.i+len(w)]) != w {
		return false
	}
	a.i += len(w)
	return true
}

// want is lost if w does not come next.
func (a *ahead) want(w string) {
	if !a.word(w) {
		a.lost = true
	}
}

// plain returns a text up to its quote, and is lost if it is empty or its bytes are not its text.
func (a *ahead) plain() []byte {
	if a.lost {
		return nil
	}
	start := a.i
	end := wire.Plain(a.d, start)
	if end == start || end >= len(a.d) || a.d[end] != '"' {
		a.lost = true
		return nil
	}
	a.i = end
	return a.d[start:end]
}

// kept is plain, as a string.
func (a *ahead) kept() string { return a.s.Keep(a.plain()) }

// phone is kept for a phone number. Anything else in its place can be a user id.
func (a *ahead) phone() string { return a.phoneLike("") }

// phoneLike is phone, but the known one costs no memory.
func (a *ahead) phoneLike(known string) string {
	text := a.plain()
	switch {
	case len(text) == 0 || text[0] < '0' || text[0] > '9':
		a.lost = true
		return ""
	case string(text) == known:
		return known
	}
	return a.s.Keep(text)
}

// text returns any text.
func (a *ahead) text() string {
	if a.lost {
		return ""
	}
	text, end, ok := a.s.StringAt(a.d, a.i)
	if !ok {
		a.lost = true
		return ""
	}
	a.i = end
	return a.s.Keep(text)
}

// seconds returns a time of ten digits.
func (a *ahead) seconds() graph.Timestamp {
	if a.lost || !wire.TenDigits(a.d, a.i) {
		a.lost = true
		return graph.Timestamp{}
	}
	a.i += 10
	return wire.Seconds(a.d, a.i-10)
}

// read moves the scanner behind the value if all of it was understood, and returns its bytes; nil
// if not.
func (a *ahead) read() []byte {
	if a.lost {
		return nil
	}
	a.s.Advance(a.i)
	return a.d[:a.i:a.i]
}

// inside moves the scanner into the object of which the first members were understood, and reports
// whether they were. The member of that name is the last of them, with its value still to be read;
// "" if all were read.
func (a *ahead) inside(name string) bool {
	if a.lost {
		return false
	}
	a.s.Inside(a.i, len(name))
	return true
}

// like is kept, but a known text costs no memory.
func (a *ahead) like(known ...string) string {
	text := a.plain()
	for _, k := range known {
		if string(text) == k {
			return k
		}
	}
	return a.s.Keep(text)
}
