package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A disguise makes up what is personal in deliveries: numbers, ids, names, texts, links. What was
// the same stays the same, so conversations, repeats and statuses belong together as they did.
// Times, lengths of texts and how often somebody writes stay what they were.
//
// It goes by what may stay, not by what has to go: of all texts, only the words of the platform
// stay ([words]), and whatever Meta adds is made up until its name is in that list.
type disguise struct {
	known map[string]string // what was made up, by its kind and what it stands for
	made  map[string]int    // how much was made up of each kind
	seed  maphash.Seed
}

func newDisguise() *disguise {
	return &disguise{known: map[string]string{}, made: map[string]int{}, seed: maphash.MakeSeed()}
}

var errNotJSON = errors.New("replay: the delivery is not JSON")

// body returns a delivery in disguise: the same members in the same order.
func (d *disguise) body(body []byte) (json.RawMessage, error) {
	var out bytes.Buffer
	if !json.Valid(body) {
		return nil, errNotJSON
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := d.value(dec, &out, "", false); err != nil {
		return nil, errNotJSON
	}
	return out.Bytes(), nil
}

// value copies the next value of dec. name is the member that it is, or that its list is. In what
// people fill in freely, such as the form of a flow or a contact card, no word is the platform's.
func (d *disguise) value(dec *json.Decoder, out *bytes.Buffer, name string, free bool) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return d.inside(dec, out, t, name, free || freely[name])
	case string:
		write(out, d.text(name, t, free))
	case json.Number:
		out.WriteString(d.number(name, t.String()))
	default: // true, false, null
		write(out, t)
	}
	return nil
}

// inside copies an object or a list, of which the first brace or bracket was read.
func (d *disguise) inside(dec *json.Decoder, out *bytes.Buffer, open json.Delim, name string, free bool) error {
	out.WriteString(open.String())
	for first := true; dec.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		if open == '{' {
			member, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ = member.(string)
			write(out, d.member(name))
			out.WriteByte(':')
		}
		if err := d.value(dec, out, name, free); err != nil {
			return err
		}
	}
	end, err := dec.Token()
	if err != nil {
		return err
	}
	fmt.Fprint(out, end)
	return nil
}

// write writes a token.
func write[T any](out *bytes.Buffer, v T) {
	b, _ := json.Marshal(v) // what was read can be written
	out.Write(b)
}

// freely are members below which nothing is a word of the platform.
var freely = set("phones emails addresses urls org response_json")

// words are members whose values are words of the platform, or times.
var words = set(`action alert_severity alert_state alert_status alert_type category chunk_order correct_category
	currency current_limit decision direction entity_type error_type event event_name field initiated_by
	join_approval_mode language media_type message_template_button_type message_template_category
	message_template_language messaging_product method mime_type new_category new_owner_role new_quality_score
	new_status object old_limit old_status phase previous_category previous_owner_app_role previous_owner_role
	previous_quality_score pricing_category pricing_model progress reason recipient_type rejection_reason
	rejection_reasons response_source response_type restriction_type sdp_type solution_status source_type status
	sub_type subtype target_role tier type version violation_type waba_ban_state`)

func set(names string) map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		m[name] = true
	}
	return m
}

var (
	word     = regexp.MustCompile(`^[A-Za-z0-9_./:+-]{1,64}(; codecs=[a-z0-9.]+)?$`)
	moment   = regexp.MustCompile(`(^|_)(time|timestamp|expiration)$`)
	digits   = regexp.MustCompile(`^[+(]*[0-9][0-9 ()./-]*$`)
	userID   = regexp.MustCompile(`^([A-Z]{2}\.(?:ENT\.)?)[0-9A-Za-z]{5,}$`)
	idMember = regexp.MustCompile(`(^|_)(id|ids|uid|token|hash|clid|tag)$`)
	longRun  = regexp.MustCompile(`[0-9]{5,}`)
)

// isWord reports whether a text stays as it is.
func isWord(name, s string) bool {
	if name == "value" { // of a preference: the same member holds amounts and answers
		return s == "stop" || s == "resume"
	}
	return moment.MatchString(name) && word.MatchString(s) ||
		words[name] && word.MatchString(s) && countDigits(s) < 7
}

// text returns what stands for a text.
func (d *disguise) text(name, s string, free bool) string {
	count := countDigits(s)
	switch {
	case s == "", !free && isWord(name, s):
		return s
	case name == "emoji":
		return "👍"
	case digits.MatchString(s) && count >= 7:
		return d.digits(s)
	case userID.MatchString(s):
		return userID.FindStringSubmatch(s)[1] + d.makeUp("user", s, "1%019d")
	case strings.HasPrefix(s, "wamid."):
		return d.makeUp("wamid", s, "wamid.MADEUP%08d")
	case s[0] == '{' || s[0] == '[':
		return d.nested(name, s)
	case name == "sha256":
		sum := sha256.Sum256([]byte(d.makeUp("sha256", s, "%d")))
		return base64.StdEncoding.EncodeToString(sum[:])
	case strings.HasPrefix(s, "http://"), strings.HasPrefix(s, "https://"):
		return d.makeUp("link", s, "https://made-up.example/%d")
	case idMember.MatchString(name):
		return d.makeUp("id", s, "made-up-%d")
	case name == "username":
		return d.makeUp("username", s, "made.up.%d")
	case name == "name" || strings.HasSuffix(name, "_name"):
		return d.makeUp("name", s, "Name %d")
	}
	return d.prose(s)
}

// nested returns what stands for JSON in a text, such as the answers of a flow.
func (d *disguise) nested(name, s string) string {
	if !json.Valid([]byte(s)) {
		return d.prose(s)
	}
	var out bytes.Buffer
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	if err := d.value(dec, &out, name, true); err != nil && !errors.Is(err, io.EOF) {
		return d.prose(s)
	}
	return out.String()
}

// number returns what stands for a JSON number. Short ones are counts, codes, prices.
func (d *disguise) number(name, s string) string {
	switch {
	case name == "latitude", name == "longitude":
		return d.makeUp("place", s, "10.%06d")
	case idMember.MatchString(name) && countDigits(s) < 7:
		return d.makeUp("short", s, "61600%06d")
	case words[name], moment.MatchString(name), strings.ContainsAny(s, ".eE"), countDigits(s) < 7:
		return s
	}
	return strings.Repeat("-", strings.Count(s, "-")) + d.digits(s)
}

// member returns the name of a member. Names are the platform's, unless they hold an id.
func (d *disguise) member(name string) string {
	return longRun.ReplaceAllStringFunc(name, func(run string) string { return d.makeUp("member", run, "%06d") })
}

// maxPhone is how many digits a phone number has at most; ids of the platform have more.
const maxPhone = 14

// digits returns what stands for a phone number, in any spelling, or for an id.
func (d *disguise) digits(s string) string {
	bare := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	if len(bare) > maxPhone {
		return d.makeUp("long", bare, fmt.Sprintf("6160%%0%dd", len(bare)-4))
	}
	made := d.makeUp("phone", graph.EquivalenceKey(bare), "155501%05d")
	if strings.HasPrefix(s, "+") {
		return "+" + made
	}
	return made
}

func countDigits(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// makeUp returns what stands for s among its kind: what it was before, or the next of the format.
func (d *disguise) makeUp(kind, s, format string) string {
	key := kind + " " + s
	made, ok := d.known[key]
	if !ok {
		d.made[kind]++
		made = fmt.Sprintf(format, d.made[kind])
		d.known[key] = made
	}
	return made
}

// filler is what texts are made of.
var filler = strings.Fields("dolor amet quis nunc erat velit sodales mattis tortor gravida vivamus pharetra ligula")

// prose returns a text of the same length, the same one for the same text.
func (d *disguise) prose(s string) string {
	length := utf8.RuneCountInString(s)
	var b strings.Builder
	for i := maphash.String(d.seed, s); b.Len() < length; i = i*31 + 7 {
		b.WriteString(filler[i%uint64(len(filler))])
		b.WriteByte(' ')
	}
	made := b.String()[:length]
	if trimmed := strings.TrimRight(made, " "); len(trimmed) < length {
		return trimmed + strings.Repeat(".", length-len(trimmed))
	}
	return made
}
