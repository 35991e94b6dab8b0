package sqlstore

import "strings"

// migrations are the steps from an empty database to the present tables. A released step is never changed; what changes comes as a
// further one, which older processes must survive while they are being replaced.
var migrations = []func(Dialect) []string{first}

// first makes the tables. A document is the JSON of what is stored; the columns beside it are what is searched, sorted
// and added up, derived from it with every write.
func first(d Dialect) []string {
	// Go compares strings byte by byte, and so does SQLite. PostgreSQL is told to.
	str, serial, number := "TEXT", "INTEGER PRIMARY KEY", "INTEGER"
	if d == PostgreSQL {
		str, serial, number = `TEXT COLLATE "C"`, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BIGINT"
	}
	types := strings.NewReplacer("$str", str, "$serial", serial, "$number", number)
	statements := []string{
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
	}
	for i, statement := range statements {
		statements[i] = types.Replace(statement)
	}
	return statements
}
