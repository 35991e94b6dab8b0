-- 0001_tables.sql
-- The tables of whatsapp-coexistence for SQLite 3.42 or newer. Moments are microseconds since 1970 unless a
-- comment says otherwise.

-- Which migrations have been applied. Each file adds its own row, so that any tool may run it.
CREATE TABLE IF NOT EXISTS coexistence_migrations (
	version INTEGER PRIMARY KEY,
	applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- States, messages and contacts. A document is the JSON of what is stored; the columns beside it are what is searched,
-- sorted and added up. They are derived from the document with every write.

CREATE TABLE coexistence_numbers (
	phone TEXT NOT NULL PRIMARY KEY,
	doc TEXT NOT NULL
);

-- The accounts that hold each number.
CREATE TABLE coexistence_number_wabas (
	waba TEXT NOT NULL,
	phone TEXT NOT NULL REFERENCES coexistence_numbers ON DELETE CASCADE,
	PRIMARY KEY (waba, phone)
);
CREATE INDEX coexistence_number_wabas_phone ON coexistence_number_wabas (phone);

-- A conversation is with one person, or in one group. Its id is never given again. name is the alias that it was made for.
-- What follows is the sum of its messages: how many are shown, how many of those are unread, the place of the latest in the
-- order of the phone, when the customer and a person at the business last wrote. read_… is the place up to which it was read.
CREATE TABLE coexistence_conversations (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	phone TEXT NOT NULL,
	name TEXT NOT NULL,
	message_count INTEGER NOT NULL DEFAULT 0,
	unread INTEGER NOT NULL DEFAULT 0,
	last_at INTEGER NOT NULL DEFAULT 0,
	last_pos INTEGER NOT NULL DEFAULT 0,
	last_id TEXT NOT NULL DEFAULT '',
	read_at INTEGER NOT NULL DEFAULT 0,
	read_pos INTEGER NOT NULL DEFAULT 0,
	read_id TEXT NOT NULL DEFAULT '',
	customer_at INTEGER,
	human_at INTEGER
);
CREATE INDEX coexistence_conversations_list ON coexistence_conversations (phone, last_at, last_pos, last_id)
	WHERE message_count > 0;
CREATE INDEX coexistence_conversations_unread ON coexistence_conversations (phone, last_at, last_pos, last_id, unread)
	WHERE unread > 0;

-- The ids of conversations that have become a part of another.
CREATE TABLE coexistence_former_conversations (
	id INTEGER NOT NULL PRIMARY KEY,
	conversation INTEGER NOT NULL REFERENCES coexistence_conversations ON DELETE CASCADE
);
CREATE INDEX coexistence_former_conversations_of ON coexistence_former_conversations (conversation);

-- The names under which a conversation is found.
CREATE TABLE coexistence_aliases (
	phone TEXT NOT NULL,
	alias TEXT NOT NULL,
	conversation INTEGER NOT NULL REFERENCES coexistence_conversations ON DELETE CASCADE,
	PRIMARY KEY (phone, alias)
);
CREATE INDEX coexistence_aliases_conversation ON coexistence_aliases (conversation);

-- The person of a conversation, as far as one is known.
CREATE TABLE coexistence_contacts (
	conversation INTEGER NOT NULL PRIMARY KEY REFERENCES coexistence_conversations ON DELETE CASCADE,
	phone TEXT NOT NULL,
	contact_key TEXT NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX coexistence_contacts_key ON coexistence_contacts (phone, contact_key, conversation);

-- The words by whose beginnings a person is found.
CREATE TABLE coexistence_names (
	phone TEXT NOT NULL,
	word TEXT NOT NULL,
	conversation INTEGER NOT NULL REFERENCES coexistence_conversations ON DELETE CASCADE,
	PRIMARY KEY (phone, word, conversation)
) WITHOUT ROWID;
CREATE INDEX coexistence_names_conversation ON coexistence_names (conversation);

-- said_at (a whole second), pos and id are the place in the order of the phone. attention is 1 for what the customer wrote,
-- live, 2 for what a person at the business wrote, who has read what is above it, 0 else. conversation is NULL as long as it
-- is not known whose the message is.
CREATE TABLE coexistence_messages (
	num INTEGER PRIMARY KEY AUTOINCREMENT,
	phone TEXT NOT NULL,
	id TEXT NOT NULL,
	conversation INTEGER,
	shown INTEGER NOT NULL,
	attention INTEGER NOT NULL,
	said_at INTEGER NOT NULL,
	pos INTEGER NOT NULL,
	human_at INTEGER,
	said TEXT,
	doc TEXT NOT NULL,
	UNIQUE (phone, id)
);
CREATE INDEX coexistence_messages_page ON coexistence_messages (conversation, shown, said_at, pos, id, attention);

-- What is searched: said has the words of a message, with the number as one of them. Messages get into the index in lots:
-- those up to upto are there. What goes is taken out of its pages at once (secure-delete); else it would only be marked, and
-- stay until all was written anew.
CREATE VIRTUAL TABLE coexistence_texts USING fts5(
	said, content='coexistence_messages', content_rowid='num', columnsize=0,
	tokenize='unicode61 remove_diacritics 0', prefix='1 2 3'
);
INSERT INTO coexistence_texts (coexistence_texts, rank) VALUES ('secure-delete', 1);
CREATE TABLE coexistence_texts_indexed (
	upto INTEGER NOT NULL
);
INSERT INTO coexistence_texts_indexed (upto) VALUES (0);
-- +goose StatementBegin
CREATE TRIGGER coexistence_messages_forgotten AFTER DELETE ON coexistence_messages
WHEN old.said IS NOT NULL AND old.num <= (SELECT upto FROM coexistence_texts_indexed) BEGIN
	INSERT INTO coexistence_texts (coexistence_texts, rowid, said) VALUES ('delete', old.num, old.said);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER coexistence_messages_changed AFTER UPDATE OF said ON coexistence_messages
WHEN old.said IS NOT new.said AND old.num <= (SELECT upto FROM coexistence_texts_indexed) BEGIN
	INSERT INTO coexistence_texts (coexistence_texts, rowid, said)
		SELECT 'delete', old.num, old.said WHERE old.said IS NOT NULL;
	INSERT INTO coexistence_texts (rowid, said) SELECT new.num, new.said WHERE new.said IS NOT NULL;
END;
-- +goose StatementEnd

-- What was forgotten: keyed hashes of numbers, and of people as a number knew them, with the moment until which nothing is
-- stored of them again. An erasure is one that is under way; its row goes with its end.

CREATE TABLE coexistence_tombstone_key (
	id INTEGER PRIMARY KEY,
	secret TEXT NOT NULL
);
INSERT INTO coexistence_tombstone_key (id, secret)
	VALUES (1, lower(hex(randomblob(32))));
CREATE TABLE coexistence_tombstones (
	mark TEXT NOT NULL PRIMARY KEY,
	until_at INTEGER NOT NULL
);
CREATE INDEX coexistence_tombstones_until ON coexistence_tombstones (until_at);
CREATE TABLE coexistence_erasures (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	phone TEXT NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX coexistence_erasures_phone ON coexistence_erasures (phone);

-- Who answers a conversation, under each alias of its person that something was said about.
CREATE TABLE coexistence_threads (
	phone TEXT NOT NULL,
	person TEXT NOT NULL,
	doc TEXT NOT NULL,
	PRIMARY KEY (phone, person)
);

-- What numbers are billed for: the messages of each calendar month (as 2026-11) by what Meta bills them as, a hash of each
-- message that was counted lately, and the budgets of which the host is told (told is 1) or is being told.

CREATE TABLE coexistence_usage (
	phone TEXT NOT NULL,
	month TEXT NOT NULL,
	category TEXT NOT NULL,
	type TEXT NOT NULL,
	subtype TEXT NOT NULL,
	market TEXT NOT NULL,
	messages INTEGER NOT NULL,
	PRIMARY KEY (phone, month, category, type, subtype, market)
);
CREATE TABLE coexistence_usage_messages (
	phone TEXT NOT NULL,
	mark TEXT NOT NULL,
	counted_at INTEGER NOT NULL,
	PRIMARY KEY (phone, mark)
);
CREATE INDEX coexistence_usage_messages_counted ON coexistence_usage_messages (counted_at);
CREATE TABLE coexistence_usage_alerts (
	phone TEXT NOT NULL,
	month TEXT NOT NULL,
	budget TEXT NOT NULL,
	claimed_until INTEGER NOT NULL,
	told INTEGER NOT NULL,
	PRIMARY KEY (phone, month, budget)
);

-- The tokens of the businesses that have connected numbers, sealed under tenant, account and number. wabas is a JSON array;
-- expires_at is 0 for a token that does not end.

CREATE TABLE coexistence_tokens (
	phone TEXT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	waba TEXT NOT NULL,
	wabas TEXT NOT NULL,
	display TEXT NOT NULL,
	token BLOB NOT NULL,
	expires_at INTEGER NOT NULL
);
CREATE INDEX coexistence_tokens_tenant ON coexistence_tokens (tenant, phone);

-- Signups under way, sealed. phone is '' as long as it is not known which number it will be.

CREATE TABLE signup_attempts (
	id TEXT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	version INTEGER NOT NULL,
	began_at INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	phone TEXT NOT NULL,
	sealed BLOB NOT NULL
);
CREATE INDEX signup_attempts_tenant ON signup_attempts (tenant, began_at);
CREATE INDEX signup_attempts_phone ON signup_attempts (phone);
CREATE INDEX signup_attempts_keep ON signup_attempts (keep_until);

-- The inbox. The state of a delivery or an event: 0 waiting, 1 split (of a delivery: its events are there), 2 dead letter,
-- 3 done (the key is left). left_open is for PostgreSQL.

CREATE TABLE webhook_deliveries (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	record_key TEXT UNIQUE,
	bulk INTEGER NOT NULL,
	number TEXT NOT NULL DEFAULT '',
	state INTEGER NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0,
	received_at INTEGER NOT NULL,
	size INTEGER NOT NULL,
	left_open INTEGER NOT NULL DEFAULT 0,
	changed_at INTEGER NOT NULL DEFAULT 0,
	reason TEXT,
	body BLOB
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (bulk, number, id) WHERE state = 0;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (id) WHERE state = 2;
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (changed_at) WHERE state = 3;

CREATE TABLE webhook_events (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	delivery INTEGER NOT NULL,
	place INTEGER NOT NULL,
	record_key TEXT UNIQUE,
	lane TEXT NOT NULL,
	bulk INTEGER NOT NULL,
	phone_number_id TEXT NOT NULL,
	state INTEGER NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0,
	changed_at INTEGER NOT NULL DEFAULT 0,
	reason TEXT
);
CREATE INDEX webhook_events_waiting ON webhook_events (bulk, lane, id) WHERE state = 0;
CREATE INDEX webhook_events_dead ON webhook_events (id) WHERE state = 2;
CREATE INDEX webhook_events_dead_of ON webhook_events (phone_number_id, id) WHERE state = 2;
CREATE INDEX webhook_events_done ON webhook_events (changed_at) WHERE state = 3;
-- Whether events of a delivery are neither done nor purged is looked up. Counting them down would read all of the body, and
-- sometimes write it, for each of them: it is in the same row.
CREATE INDEX webhook_events_open ON webhook_events (delivery) WHERE state < 3;

-- Live deliveries wait here, all of one commit in one row, until they are claimed; then they get rows of their own.
CREATE TABLE webhook_arrivals (
	id INTEGER PRIMARY KEY,
	received_at INTEGER NOT NULL,
	deliveries INTEGER NOT NULL,
	heads TEXT NOT NULL,
	bodies BLOB NOT NULL
);

-- A lane is an ordering key: a conversation with something to do. It is there as long as something waits in it; the two of
-- the deliveries (kind 0) are always there. token is the lease that holds it, held how many records of the batch are not
-- settled, abandoned how often in a row a lease ended without a settlement. state: 0 ready, 1 leased or pausing until
-- next_at, 2 in quarantine until next_at, and then for those who ask for it. Claims take turns between numbers, and between
-- lanes in which something else than statuses waits (class 0) and others (class 1). The key begins with what is different in
-- each row: a planner that has not seen the table takes kind and bulk for that, and reads all of it. batch lists the
-- deliveries that were claimed last.
CREATE TABLE webhook_lanes (
	kind INTEGER NOT NULL,
	bulk INTEGER NOT NULL,
	lane TEXT NOT NULL,
	number TEXT NOT NULL DEFAULT '',
	class INTEGER NOT NULL DEFAULT 0,
	state INTEGER NOT NULL DEFAULT 0,
	next_at INTEGER NOT NULL,
	token TEXT,
	held INTEGER NOT NULL DEFAULT 0,
	abandoned INTEGER NOT NULL DEFAULT 0,
	worker TEXT,
	batch TEXT,
	PRIMARY KEY (lane, kind, bulk)
);
CREATE INDEX webhook_lanes_ready ON webhook_lanes (kind, bulk, class, number, next_at) WHERE state = 0;
CREATE INDEX webhook_lanes_due ON webhook_lanes (kind, bulk, next_at) WHERE state = 1;
CREATE INDEX webhook_lanes_quarantine ON webhook_lanes (kind, bulk, next_at) WHERE state = 2;
CREATE INDEX webhook_lanes_held ON webhook_lanes (token) WHERE token IS NOT NULL;
INSERT INTO webhook_lanes (kind, bulk, lane, state, next_at) VALUES (0, 0, '', 1, 0), (0, 1, '', 1, 0);

-- The outbox. Moments are milliseconds since 1970, 0 for never. person is the id of the conversation, as conv_ and a number,
-- or what the host has named in the place of one; by_person is 1 if a person wrote the message, held is
-- 1 for an entry that waits because another responder has the conversation.

CREATE TABLE outbox_entries (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	phone TEXT NOT NULL,
	person TEXT NOT NULL,
	by_person INTEGER NOT NULL,
	campaign TEXT NOT NULL,
	rank INTEGER NOT NULL,
	message TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	code INTEGER NOT NULL,
	wamid TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	put_at INTEGER NOT NULL,
	until_at INTEGER NOT NULL,
	tried_at INTEGER NOT NULL,
	next_at INTEGER NOT NULL,
	sent_at INTEGER NOT NULL,
	delivered_at INTEGER NOT NULL,
	read_at INTEGER NOT NULL,
	failed_at INTEGER NOT NULL,
	held INTEGER NOT NULL
);
CREATE INDEX outbox_entries_work ON outbox_entries (phone, state, rank, seq);
CREATE INDEX outbox_entries_state ON outbox_entries (state, until_at);
CREATE INDEX outbox_entries_person ON outbox_entries (phone, person, seq);
CREATE INDEX outbox_entries_campaign ON outbox_entries (campaign, seq);
CREATE INDEX outbox_entries_held ON outbox_entries (phone) WHERE held = 1;
CREATE INDEX outbox_entries_wamid ON outbox_entries (phone, wamid);
CREATE TABLE outbox_campaigns (
	id TEXT NOT NULL PRIMARY KEY,
	paused INTEGER NOT NULL
);
CREATE TABLE outbox_numbers (
	phone TEXT NOT NULL PRIMARY KEY,
	holder TEXT NOT NULL,
	held_until INTEGER NOT NULL,
	rests_until INTEGER NOT NULL
);

INSERT INTO coexistence_migrations (version) VALUES (1);
