package payload

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf16"
)

// What all bodies have in common: one account, one number.
const (
	head     = `{"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[`
	tail     = `]}]}`
	metadata = `"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"15550100100","phone_number_id":"300000000000001"}`
	chunk = `{"value":{` + metadata + `,"history":[{"metadata":{"phase":1,"chunk_order":3,"progress":50},"threads":[`
)

// Text is one text from a customer: what a webhook receives most of, and has to answer the fastest.
func Text() []byte { return []byte(head + newMaker(1).text() + tail) }

// Status is one delivery status. A number that sends gets up to three for each message.
func Status() []byte { return []byte(head + newMaker(2).status("delivered") + tail) }

// Batch is one delivery of n changes: 30 % messages, 45 % statuses, 5 % failures, 15 % echoes, 5 %
// contacts.
func Batch(n int) []byte {
	m := newMaker(3)
	changes := make([]string, n)
	for i := range changes {
		switch k := i * 7 % 20; { // 7 and 20 have no divisor in common: all k occur, mixed
		case k < 6:
			changes[i] = m.text()
		case k < 15:
			changes[i] = m.status([]string{"sent", "delivered", "read"}[i%3])
		case k < 16:
			changes[i] = m.failure()
		case k < 19:
			changes[i] = m.echo()
		default:
			changes[i] = m.contact()
		}
	}
	return []byte(head + strings.Join(changes, ",") + tail)
}

// History is a chunk of so many messages in so many threads: 82 % texts, 12 % placeholders of
// media, and reactions, locations and answers. 3,000 messages are one megabyte, and Meta sends up
// to three of those in a body.
func History(messages, threads int) []byte {
	m := newMaker(4)
	var b bytes.Buffer
	b.WriteString(head + chunk)
	for t := range threads {
		customer := fmt.Sprintf("155501%05d", t)
		if t > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%s","context":{"wa_id":"%s","user_id":"US.40000000000%05d"},"messages":[`,
			customer, customer, t)
		for i := t; i < messages; i += threads {
			if i > t {
				b.WriteByte(',')
			}
			m.past(&b, customer, 1767225600+i)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`]}]},"field":"history"}` + tail)
	return b.Bytes()
}

// EmptyHistory is a chunk of n messages without any member: the body that costs a decoder the most
// for its size, as an attacker with the app secret, or Meta by mistake, could send it.
func EmptyHistory(n int) []byte {
	empty := strings.TrimSuffix(strings.Repeat(`{},`, n), ",")
	return []byte(head + chunk + `{"id":"15550100123","messages":[` + empty + `]}]}]},"field":"history"}` + tail)
}

// A maker makes up members. The seed makes them the same in every run, so that two runs measure the
// same work.
type maker struct{ rnd *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 20261122))} }

// alphabet is that of message ids, which are base64.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"

// id makes a message id of the length and the beginning that Meta's have.
func (m maker) id() string {
	var b [36]byte
	for i := range b {
		b[i] = alphabet[m.rnd.IntN(len(alphabet))]
	}
	return "wamid.HBgLMTU1NTAxMDAxMjMVAgASGBQ" + string(b[:]) + "A="
}

// customer makes a phone number that is assigned to no person, as a wa_id, and user a user id.
func (m maker) customer() string { return fmt.Sprintf("155501%05d", m.rnd.IntN(100_000)) }

func (m maker) user() string { return fmt.Sprintf("US.%016d", m.rnd.Uint64N(1e16)) }

// change puts members into the envelope of a field.
func (m maker) change(field, members string) string {
	return `{"value":{` + metadata + `,` + members + `},"field":"` + field + `"}`
}

// text is a text from a customer, with a link and a name that needs escapes.
func (m maker) text() string {
	customer, user := m.customer(), m.user()
	return m.change("messages",
		`"contacts":[{"profile":{"name":"Zo\u00eb Mu\u00f1oz \ud83c\udf3b"},"wa_id":"`+customer+`","user_id":"`+
			user+`"}],"messages":[{"from":"`+customer+`","from_user_id":"`+user+`","id":"`+m.id()+`","timestamp":"`+
			m.time()+`","type":"text","text":{"body":"`+m.sentence(12)+` https:\/\/example.com\/a"}}]`)
}

// time makes a Unix time in seconds, early in 2026.
func (m maker) time() string { return strconv.Itoa(1767225600 + m.rnd.IntN(1_000_000)) }

// status is what a message that was sent has come to.
func (m maker) status(code string) string {
	return m.change("messages",
		`"statuses":[{"id":"`+m.id()+`","status":"`+code+`","timestamp":"`+m.time()+`","recipient_id":"`+m.customer()+
			`","recipient_user_id":"`+m.user()+`","conversation":{"id":"`+strings.ToLower(m.id()[20:52])+
			`","origin":{"type":"service"}},`+
			`"pricing":{"billable":true,"pricing_model":"PMP","category":"service","type":"regular"}}]`)
}

// failure is the status of a message that could not be delivered.
func (m maker) failure() string {
	return m.change("messages",
		`"statuses":[{"id":"`+m.id()+`","status":"failed","timestamp":"`+m.time()+`","recipient_id":"`+m.customer()+
			`","errors":[{"code":131026,"title":"Message undeliverable","message":"Message undeliverable",`+
			`"error_data":{"details":"Message Undeliverable."},`+
			`"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}]}]`)
}

// echo is a text that the business wrote on its phone.
func (m maker) echo() string {
	return m.change("smb_message_echoes",
		`"message_echoes":[{"from":"15550100100","to":"`+m.customer()+`","id":"`+m.id()+`","timestamp":"`+m.time()+
			`","type":"text","text":{"body":"`+m.sentence(8)+`"}}]`)
}

// contact is an entry of the address book.
func (m maker) contact() string {
	return m.change("smb_app_state_sync",
		`"state_sync":[{"type":"contact","contact":{"full_name":"Ana \u00c1lvarez","first_name":"Ana",`+
			`"phone_number":"`+m.customer()+`"},"action":"add","metadata":{"timestamp":"`+m.time()+`"}}]`)
}

// past writes a message of a thread. At is its Unix time.
func (m maker) past(b *bytes.Buffer, customer string, at int) {
	if m.rnd.IntN(2) == 0 {
		fmt.Fprintf(b, `{"from":"%s","id":"%s",`, customer, m.id())
	} else {
		fmt.Fprintf(b, `{"from":"15550100100","to":"%s","id":"%s",`, customer, m.id())
	}
	fmt.Fprintf(b, `"timestamp":"%d",`, at)
	switch k := m.rnd.IntN(100); {
	case k < 82:
		b.WriteString(`"type":"text","text":{"body":"` + m.sentence(8+m.rnd.IntN(26)) + `"},`)
	case k < 94:
		b.WriteString(`"type":"media_placeholder",`)
	case k < 96:
		b.WriteString(`"type":"reaction","reaction":{"message_id":"` + m.id() + `","emoji":"\u2764\ufe0f"},`)
	case k < 98:
		b.WriteString(`"type":"location","location":{"latitude":-23.5505,"longitude":-46.6333,"name":"` +
			m.sentence(3) + `"},`)
	default:
		b.WriteString(`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"` +
			strconv.Itoa(k) + `","title":"` + m.sentence(2) + `"}},`)
	}
	status := []string{"READ", "READ", "DELIVERED", "SENT"}[m.rnd.IntN(4)]
	b.WriteString(`"history_context":{"status":"` + status + `"}}`)
}

// english is words that need no escapes.
const english = "hello order tomorrow thanks please the a delivery blue is it yes no invoice when could you send " +
	"me that again"

// languages are words by how many of their letters are escaped: few, none, some, all.
var languages = [][]string{
	strings.Fields(english + " 12/2026 🚀"),
	strings.Fields(english),
	strings.Fields("olá pedido amanhã obrigada por favor a entrega azul é não sim fatura quando você pode mandar " +
		"outra vez coração"),
	strings.Fields(`नमस्ते कल धन्यवाद हाँ नहीं कब`),
	strings.Fields(`مرحبا غدا شكرا نعم لا متى`),
}

// sentence returns about n words of one language, with Meta's escapes. Words of other scripts count
// more.
func (m maker) sentence(n int) string {
	k := m.rnd.IntN(40)
	switch {
	case k < 28:
		k = k % 2
	case k < 37:
		k = 2
	default:
		k, n = k-35, 1+n/3
		k = min(k+1, 4)
	}
	words := languages[k]
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		escape(&b, words[m.rnd.IntN(len(words))])
	}
	return b.String()
}

// escape writes a string as Meta does: everything beyond ASCII as \u with lower-case digits, in
// UTF-16, and a backslash before each slash.
func escape(b *strings.Builder, s string) {
	for _, u := range utf16.Encode([]rune(s)) {
		switch {
		case u == '/':
			b.WriteString(`\/`)
		case u < 0x80:
			b.WriteByte(byte(u))
		default:
			fmt.Fprintf(b, `\u%04x`, u)
		}
	}
}
