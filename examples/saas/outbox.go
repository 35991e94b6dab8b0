package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A letter is a message in the outbox, through which everything goes that we send. It is queued, then trying, then sent or failed; or
// unknown, if nobody can say whether Meta took it. Its id is the reference that Meta repeats in every status, and tells who wrote it.
type letter struct {
	ID       string
	Phone    graph.PhoneNumberID
	Campaign string // or empty
	Author   string // "bot", "team" or "campaign"
	Person   string // the conversation
	To       graph.Identity
	Content  content
	State    string
	Problem  string
	at       int64
}

// At is when it was written.
func (l *letter) At() time.Time { return moment(l.at) }

// A content is a text, or a template with what fills it in.
type content struct {
	Text     string   `json:"text,omitzero"`
	Template string   `json:"template,omitzero"`
	Language string   `json:"language,omitzero"`
	Values   []string `json:"values,omitempty"`
}

// newID names something that is made once.
func newID() string { return rand.Text() }

// letterID names a letter after what it is for: the same cause never makes a second one.
func letterID(author string, cause ...string) string {
	text, _ := json.Marshal(cause) // strings are never refused
	sum := sha256.Sum256(text)
	return author + "-" + hex.EncodeToString(sum[:16])
}

// message is the letter as Cloud API takes it.
func (l *letter) message() cloudapi.Message {
	m := cloudapi.Message{To: cloudapi.ToIdentity(l.To), CallbackData: l.ID, Content: &cloudapi.Text{Body: l.Content.Text}}
	if l.Campaign != "" {
		m.Priority = cloudapi.PriorityCampaign
	}
	if l.Content.Template != "" {
		t := &cloudapi.Template{Name: l.Content.Template, Language: l.Content.Language}
		if len(l.Content.Values) > 0 {
			body := new(cloudapi.TemplateBody)
			for _, v := range l.Content.Values {
				body.Parameters = append(body.Parameters, &cloudapi.TextParameter{Text: v})
			}
			t.Components = append(t.Components, body)
		}
		m.Content = t
	}
	return m
}

// execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// queue puts a letter into the outbox, unless it is there.
func (a *app) queue(ctx context.Context, db execer, l letter) error {
	to, err1 := json.Marshal(l.To)
	text, err2 := json.Marshal(l.Content)
	_, err := db.ExecContext(ctx, a.db.sql(`INSERT INTO saas_outbox (id, phone, campaign, author, person, recipient, content, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, {now}) ON CONFLICT (id) DO NOTHING`),
		l.ID, string(l.Phone), l.Campaign, l.Author, l.Person, string(to), string(text))
	return errors.Join(err1, err2, err)
}

const letterColumns = "id, phone, campaign, author, person, recipient, content, state, problem, created_at"

func readLetter(scan func(dest ...any) error) (*letter, error) {
	var l letter
	var to, text string
	if err := scan(&l.ID, &l.Phone, &l.Campaign, &l.Author, &l.Person, &to, &text, &l.State, &l.Problem, &l.at); err != nil {
		return nil, err
	}
	return &l, errors.Join(json.Unmarshal([]byte(to), &l.To), json.Unmarshal([]byte(text), &l.Content))
}

func (a *app) letters(ctx context.Context, where string, args ...any) (list []*letter, err error) {
	err = a.db.each(ctx, "SELECT "+letterColumns+" FROM saas_outbox "+where, args, func(rows *sql.Rows) error {
		l, err := readLetter(rows.Scan)
		list = append(list, l)
		return err
	})
	return list, err
}

// file puts a message that Meta took into its conversation, and then notes in the outbox that it is sent. In this order, a process that
// dies in between leaves a letter in doubt, which a status settles; filing it again does no harm.
func (a *app) file(ctx context.Context, l *letter, sent *cloudapi.Sent) error {
	if err := a.tracker.Sent(ctx, l.Phone, sent, l.message()); err != nil {
		return err
	}
	_, err := a.db.exec(ctx, `UPDATE saas_outbox SET state = CASE WHEN state = 'failed' THEN state ELSE 'sent' END, wamid = $1,
		sent_at = CASE WHEN sent_at = 0 THEN {now} ELSE sent_at END WHERE id = $2`, string(sent.ID), l.ID)
	return err
}

// settled is told what became of a message. It is the proof that Meta took it, also where the answer to the call got lost.
func (a *app) settled(ctx context.Context, st *webhook.MessageStatus) error {
	list, err := a.letters(ctx, "WHERE id = $1 AND phone = $2", st.CallbackData, string(st.Phone))
	if err != nil || len(list) == 0 {
		return err
	}
	l := list[0]
	if l.State != "sent" && l.State != "failed" {
		id := l.To
		sent := &cloudapi.Sent{ID: st.ID, To: cloudapi.SentContact{Input: id.WAID, WAID: id.WAID, UserID: id.UserID, ParentUserID: id.ParentUserID}}
		if err := a.file(ctx, l, sent); err != nil {
			return err
		}
	}
	column := map[webhook.StatusCode]string{
		webhook.StatusDelivered: "delivered_at", webhook.StatusRead: "read_at", webhook.StatusPlayed: "read_at", webhook.StatusFailed: "failed_at",
	}[st.Status]
	if column == "" {
		return nil
	}
	if column == "failed_at" && len(st.Errors) > 0 {
		_, err = a.db.exec(ctx, "UPDATE saas_outbox SET state = 'failed', problem = $1 WHERE id = $2", st.Errors[0].Title, l.ID)
	}
	_, err2 := a.db.exec(ctx, "UPDATE saas_outbox SET "+column+" = $1 WHERE id = $2 AND "+column+" = 0", st.At.UnixMilli(), l.ID)
	return errors.Join(err, err2)
}
