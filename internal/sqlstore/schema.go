package sqlstore

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// schema is the tables. PostgreSQL's advisory lock for them is the text "coexist" as a number. A document is the JSON of what is stored; the
// columns beside it are what is searched, sorted and added up, derived from it with every write.
var schema = sqldb.Schema{Name: "coexistence", Lock: 0x636f6578697374, Steps: [][]string{{
	`CREATE TABLE coexistence_states (phone $str NOT NULL PRIMARY KEY, doc TEXT NOT NULL)`,

	// The accounts that hold each number.
	`CREATE TABLE coexistence_state_wabas (
			waba $str NOT NULL, phone $str NOT NULL REFERENCES coexistence_states ON DELETE CASCADE, PRIMARY KEY (waba, phone))`,
	`CREATE INDEX coexistence_state_wabas_phone ON coexistence_state_wabas (phone)`,

	// Moments are microseconds since 1970. What a message adds to its conversation is as Conversation.Add has it.
	`CREATE TABLE coexistence_messages (
			phone $str NOT NULL, id $str NOT NULL, person $str NOT NULL, shown $number NOT NULL, said_at $number NOT NULL,
			customer_at $number, human_at $number, doc TEXT NOT NULL, PRIMARY KEY (phone, id))`,
	`CREATE INDEX coexistence_messages_conversation
			ON coexistence_messages (phone, person, shown, said_at, id, customer_at, human_at)`,

	`CREATE TABLE coexistence_contacts (id $serial, phone $str NOT NULL, contact_key $str NOT NULL, doc TEXT NOT NULL)`,
	`CREATE INDEX coexistence_contacts_key ON coexistence_contacts (phone, contact_key, id)`,
	`CREATE TABLE coexistence_aliases (
			phone $str NOT NULL, alias $str NOT NULL, contact $number NOT NULL REFERENCES coexistence_contacts ON DELETE CASCADE,
			PRIMARY KEY (phone, alias))`,
	`CREATE INDEX coexistence_aliases_contact ON coexistence_aliases (contact)`,
}}}

// Migrate creates the store's tables, or brings those of an older release up to date. Call it at every start: it only looks if there is
// nothing to do, which takes no right to create tables. Several processes may call it at once. Each step is all or nothing.
//
// It refuses tables of a newer release than this one. Within a rolling upgrade, older processes that are already running go on.
func (s *Store) Migrate(ctx context.Context) error {
	return explain("Migrate", schema.Migrate(ctx, s.db, sqldb.Dialect(s.dialect)))
}
