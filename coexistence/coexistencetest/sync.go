package coexistencetest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Ages by which history is split into phases, and up to which media is described.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
const (
	day = 24 * time.Hour

	// historyAge is how far back a history goes, mediaAge how far it describes files. A message's
	// phase is decided by its age at the onboarding: under a day, under 90 days, older.
	historyAge  = 180 * day
	mediaAge    = 14 * day
	lastPhase   = 2
	phase0Until = 1 * day
	phase1Until = 90 * day
)

// syncAppData answers a request that the Graph API has accepted: by the address book, by the
// history, by the refusal of the business, or, if the phone is to stall, by nothing.
func (w *World) syncAppData(req cloudapitest.SyncRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.phoneByID(req.PhoneNumberID)
	w.relied.on(relySyncOnce)
	if p != nil && len(p.wabas) > 1 {
		w.relied.on(relySecondAccount)
	}
	switch {
	case p == nil:
	case req.Kind == cloudapi.SyncContacts && !p.cfg.StallContacts:
		p.sendContacts()
	// The refusal is a webhook like the data would be: the call itself has succeeded.
	case req.Kind == cloudapi.SyncHistory && !p.shares:
		w.relied.on(relyDeclined)
		p.tell("history", sub("history", list(object(sub("errors", list(declined()))))))
	case req.Kind == cloudapi.SyncHistory && !p.cfg.StallHistory:
		p.sendHistory()
	default:
		w.relied.on(relySyncStalls)
	}
}

// declined is the error by which a history webhook tells that the business does not share its
// chats.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
func declined() []byte {
	const title = "History sync is turned off by the business from the WhatsApp Business App"
	return object(
		num("code", int(graph.CodeHistorySharingOff)), str("title", title), str("message", title),
		sub("error_data", object(str("details", "History sharing is turned off by the business"))))
}

// A chunk is one history webhook.
type chunk struct {
	phase, order int
	messages     []*message
	progress     int
}

// sendHistory sends everything that was written before the onboarding, up to 180 days back: chunks
// of placeholders and texts, and a webhook of its own for each file of the last 14 days. Unless the
// history is to come in order, chunks are shuffled and some files overtake their placeholder, as in
// the field. The caller must hold the world's mu.
func (p *Phone) sendHistory() {
	w := p.world
	chunks := p.chunks()
	w.relied.on(relyHistory)
	// The chunks are composed before anything is marked as told: what happens from now on is told
	// live, or by the history of a later onboarding.
	var first, rest []change
	for _, ch := range chunks {
		rest = append(rest, p.change("history", sub("history", list(p.chunkValue(ch)))))
	}
	var media []change
	for _, ch := range chunks {
		for _, m := range ch.messages {
			if m.content.isMedia() && p.onboardedAt.Sub(m.at) < mediaAge {
				media = append(media, p.mediaDetail(m))
				w.relied.on(relyMediaDetail)
			}
			if m.edited {
				w.relied.on(relyHistoryText)
			}
			m.pastAt = w.graph.Now()
			if !m.liveAt.IsZero() {
				w.relied.on(relyHistoryAgain)
			}
		}
	}
	if !w.cfg.History.InOrder {
		// Meta does not order chunks, and a host has to put them together by phase and number.
		w.rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		// Some details overtake their placeholder.
		n := len(media) / 6
		first, media = media[:n], media[n:]
	}
	w.dispatcher.send(slices.Concat(first, rest, media)...)
}

// chunks cuts the history: by phase, thread after thread, so many messages at a time. Chunks are
// counted from 1 in every phase, and a phase without messages has none. The last one has progress
// 100, and is empty unless it is to be full. The caller must hold the world's mu.
func (p *Phone) chunks() []chunk {
	var phases [lastPhase + 1][]*message
	// Deleted messages and system notices are not in a history, and nothing of a time after the
	// onboarding is: that came live.
	total := 0
	for _, c := range p.customers {
		for _, m := range c.chat.messages {
			age := p.onboardedAt.Sub(m.at)
			if age < 0 || age >= historyAge || m.revoked || m.content.Type == "system" {
				continue
			}
			phase := phaseOf(age)
			phases[phase] = append(phases[phase], m)
			total++
		}
	}
	var all []chunk
	done := 0
	for phase, messages := range phases {
		// Within a phase a conversation is in one piece as far as chunks allow, and its messages
		// are in order.
		slices.SortStableFunc(messages, func(a, b *message) int {
			if a.chat != b.chat {
				return cmp.Compare(a.chat.position, b.chat.position)
			}
			return a.at.Compare(b.at)
		})
		// chunk_order begins anew in each phase, so a host has to sort by both.
		order := 0
		// The share of messages so far is the progress, below 100 until the end: Meta's own measure
		// is not documented.
		for part := range slices.Chunk(messages, p.world.cfg.History.ChunkSize) {
			order++
			done += len(part)
			all = append(all, chunk{phase, order, part, min(done*100/total, 99)})
		}
	}
	switch {
	case len(all) == 0:
		p.world.relied.on(relyEmptyHistory)
		return []chunk{{phase: 0, order: 1, progress: 100}}
	case p.world.cfg.History.FullLast:
		all[len(all)-1].progress = 100
	default:
		p.world.relied.on(relyEmptyChunk)
		last := all[len(all)-1]
		all = append(all, chunk{phase: last.phase, order: last.order + 1, progress: 100})
	}
	return all
}

// phaseOf returns the phase of a message by its age at the onboarding.
func phaseOf(age time.Duration) int {
	switch {
	case age < phase0Until:
		return 0
	case age < phase1Until:
		return 1
	}
	return lastPhase
}

// chunkValue is a chunk on the wire: metadata, and a thread for each customer with messages in it.
// A long conversation goes on in the next chunk, under the same thread id. The caller must hold the
// world's mu.
func (p *Phone) chunkValue(ch chunk) []byte {
	// A chunk without messages has an empty list of threads, not none. A thread of a customer who
	// hides the number has no id, and is named by its context alone.
	threads := [][]byte{}
	for i := 0; i < len(ch.messages); {
		c := ch.messages[i].chat
		var items [][]byte
		for ; i < len(ch.messages) && ch.messages[i].chat == c; i++ {
			items = append(items, p.pastMessage(ch.messages[i]))
		}
		id := c.customer.identity()
		var context []byte
		if id.UserID != "" {
			context = object(str("wa_id", id.WAID), str("user_id", id.UserID), str("username", id.Username))
		}
		threads = append(threads, object(str("id", id.WAID), sub("context", context), sub("messages", list(items...))))
	}
	return object(
		sub("metadata", object(num("phase", ch.phase), num("chunk_order", ch.order), num("progress", ch.progress))),
		sub("threads", list(threads...)))
}

// pastMessage is a message of a chunk. A file is a placeholder there, without an object. Which side
// wrote it shows only by the sender: the business's number, with a recipient, or the customer's
// ids. The caller must hold the world's mu.
func (p *Phone) pastMessage(m *message) []byte {
	id := m.chat.customer.identity()
	// Either side is named by the ids that a customer shows, so both can be missing a number.
	members := []member{str("from", id.WAID), str("from_user_id", id.UserID)}
	other := p.digits()
	if m.outbound() {
		members = []member{str("from", p.digits()), str("to", id.WAID)}
		other = id.WAID
	}
	// What the file is comes in a webhook of its own, for recent ones.
	kind, content := m.content.Type, m.content.wire("", "", "")
	if m.content.isMedia() {
		kind, content = "media_placeholder", member{}
	}
	// The quoted message is named with its author, as live messages name it.
	var quoted []byte
	if m.content.ReplyTo != "" && kind != "reaction" {
		quoted = object(str("from", other), str("id", m.content.ReplyTo))
	}
	return object(append(members,
		sub("context", quoted), str("id", m.id), m.timestamp(), str("type", kind), content,
		sub("history_context", object(str("status", strings.ToUpper(cmp.Or(m.status, "read"))))))...)
}

// mediaDetail is the webhook that describes a placeholder. As in Meta's sample, some have an
// earlier time than the placeholder and name the business as the sender of what the customer sent;
// only the id says which message they belong to. What the business sent comes in message_echoes,
// what the customer sent in messages, both under the field history. The caller must hold the
// world's mu.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
func (p *Phone) mediaDetail(m *message) change {
	c := m.chat.customer
	id := c.identity()
	// One in five is odd in the way of Meta's sample.
	odd := p.world.rand.IntN(5) == 0
	at := m.at
	if odd {
		at = at.Add(-time.Minute)
	}
	timestamp := str("timestamp", strconv.FormatInt(at.Unix(), 10))
	content := m.wire()
	if m.outbound() {
		detail := object(
			str("from", p.digits()), str("to", id.WAID), str("to_user_id", id.UserID), str("id", m.id), timestamp,
			str("type", m.content.Type), content)
		return p.change("history", p.echoContact(c), sub("message_echoes", list(detail)))
	}
	// In the odd ones the customer cannot be told: it is the placeholder that says whose the file
	// is.
	from, contacts := str("from", id.WAID), p.echoContact(c)
	userID := str("from_user_id", id.UserID)
	if odd {
		from, userID, contacts = str("from", p.digits()), member{}, member{}
	}
	detail := object(from, userID, str("id", m.id), timestamp, str("type", m.content.Type), content)
	return p.change("history", contacts, sub("messages", list(detail)))
}
