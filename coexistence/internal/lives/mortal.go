package lives

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

var errDead = errors.New("lives: the process is dead")

// A mortal is a store as one process of the host sees it: after so many calls the process dies,
// before the call or after it, and nothing that it does then has any effect.
type mortal struct {
	store coexistence.Store

	mu     sync.Mutex
	calls  int // left to live, 0 for ever
	before bool
	dead   bool
	died   func()
}

var _ coexistence.Store = (*mortal)(nil)

// fuse makes the process die within its n-th call from now.
func (m *mortal) fuse(n int, before bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls, m.before = n, before
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// enter counts a call. last says that the process dies once it is made.
func (m *mortal) enter() (last bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return false, errDead
	}
	if m.calls == 0 {
		return false, nil
	}
	if m.calls--; m.calls > 0 {
		return false, nil
	}
	if m.before {
		m.die()
		return false, errDead
	}
	return true, nil
}

func (m *mortal) die() {
	if !m.dead {
		m.dead = true
		go m.died()
	}
}

// leave ends a call.
func (m *mortal) leave(last bool, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last {
		m.die()
	}
	if m.dead {
		return errDead
	}
	return err
}

func (m *mortal) UpdateNumber(
	ctx context.Context, phone graph.PhoneNumberID, fn func(coexistence.Number) (coexistence.Number, error),
) (coexistence.Number, error) {
	last, err := m.enter()
	if err != nil {
		return coexistence.Number{}, err
	}
	st, err := m.store.UpdateNumber(ctx, phone, fn)
	return st, m.leave(last, err)
}

func (m *mortal) Number(ctx context.Context, phone graph.PhoneNumberID) (coexistence.Number, error) {
	last, err := m.enter()
	if err != nil {
		return coexistence.Number{}, err
	}
	st, err := m.store.Number(ctx, phone)
	return st, m.leave(last, err)
}

func (m *mortal) NumbersByWABA(ctx context.Context, waba graph.WABAID) ([]coexistence.Number, error) {
	last, err := m.enter()
	if err != nil {
		return nil, err
	}
	list, err := m.store.NumbersByWABA(ctx, waba)
	return list, m.leave(last, err)
}

func (m *mortal) UpdateMessages(ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message)) error {
	last, err := m.enter()
	if err != nil {
		return err
	}
	return m.leave(last, m.store.UpdateMessages(ctx, phone, ids, fn))
}

func (m *mortal) Message(ctx context.Context, phone graph.PhoneNumberID, id graph.MessageID) (coexistence.Message, error) {
	last, err := m.enter()
	if err != nil {
		return coexistence.Message{}, err
	}
	msg, err := m.store.Message(ctx, phone, id)
	return msg, m.leave(last, err)
}

func (m *mortal) Conversation(ctx context.Context, phone graph.PhoneNumberID, key string) (coexistence.Conversation, error) {
	last, err := m.enter()
	if err != nil {
		return coexistence.Conversation{}, err
	}
	c, err := m.store.Conversation(ctx, phone, key)
	return c, m.leave(last, err)
}

func (m *mortal) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	last, err := m.enter()
	if err != nil {
		return coexistence.Contact{}, err
	}
	c, err := m.store.UpdateContact(ctx, phone, aliases, fn)
	return c, m.leave(last, err)
}

func (m *mortal) Contact(ctx context.Context, phone graph.PhoneNumberID, who graph.Identity) (coexistence.Contact, error) {
	last, err := m.enter()
	if err != nil {
		return coexistence.Contact{}, err
	}
	c, err := m.store.Contact(ctx, phone, who)
	return c, m.leave(last, err)
}

// The listings are for people who look. A tracker calls none of them but Numbers, of which a host
// that is played makes no use.

func (m *mortal) Numbers(ctx context.Context) iter.Seq2[coexistence.Number, error] {
	return m.store.Numbers(ctx)
}

func (m *mortal) Conversations(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[coexistence.Conversation, error] {
	return m.store.Conversations(ctx, phone)
}

func (m *mortal) Messages(ctx context.Context, phone graph.PhoneNumberID, conversation string) iter.Seq2[coexistence.Message, error] {
	return m.store.Messages(ctx, phone, conversation)
}

func (m *mortal) Contacts(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[coexistence.Contact, error] {
	return m.store.Contacts(ctx, phone)
}
