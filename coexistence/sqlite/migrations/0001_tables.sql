-- +goose Up
-- The tables of whatsapp-coexistence for SQLite 3.38 or newer. Moments are microseconds since 1970 unless a
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

CREATE TABLE coexistence_messages (
	phone TEXT NOT NULL,
	id TEXT NOT NULL,
	person TEXT NOT NULL,
	shown INTEGER NOT NULL,
	said_at INTEGER NOT NULL,
	customer_at INTEGER,
	human_at INTEGER,
	doc TEXT NOT NULL,
	PRIMARY KEY (phone, id)
);
CREATE INDEX coexistence_messages_conversation
	ON coexistence_messages (phone, person, shown, said_at, id, customer_at, human_at);

CREATE TABLE coexistence_contacts (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	phone TEXT NOT NULL,
	contact_key TEXT NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX coexistence_contacts_key ON coexistence_contacts (phone, contact_key, id);
CREATE TABLE coexistence_aliases (
	phone TEXT NOT NULL,
	alias TEXT NOT NULL,
	contact INTEGER NOT NULL REFERENCES coexistence_contacts ON DELETE CASCADE,
	PRIMARY KEY (phone, alias)
);
CREATE INDEX coexistence_aliases_contact ON coexistence_aliases (contact);

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

-- Signups under way, sealed.

CREATE TABLE signup_attempts (
	id TEXT NOT NULL PRIMARY KEY,
	tenant TEXT NOT NULL,
	version INTEGER NOT NULL,
	began_at INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	sealed BLOB NOT NULL
);
CREATE INDEX signup_attempts_tenant ON signup_attempts (tenant, began_at);
CREATE INDEX signup_attempts_keep ON signup_attempts (keep_until);

-- The inbox. The state of a delivery or an event: 0 waiting, 1 split (of a delivery: its events are there), 2 dead letter,
-- 3 done (the key is left). left_open is for PostgreSQL.

CREATE TABLE webhook_deliveries (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	record_key TEXT UNIQUE,
	bulk INTEGER NOT NULL,
	state INTEGER NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0,
	received_at INTEGER NOT NULL,
	size INTEGER NOT NULL,
	left_open INTEGER NOT NULL DEFAULT 0,
	changed_at INTEGER NOT NULL DEFAULT 0,
	reason TEXT,
	body BLOB
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (bulk, id) WHERE state = 0;
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
-- settled, next_at when it can be claimed.
CREATE TABLE webhook_lanes (
	kind INTEGER NOT NULL,
	bulk INTEGER NOT NULL,
	lane TEXT NOT NULL,
	next_at INTEGER NOT NULL,
	token TEXT,
	held INTEGER NOT NULL DEFAULT 0,
	worker TEXT,
	PRIMARY KEY (kind, bulk, lane)
);
CREATE INDEX webhook_lanes_next ON webhook_lanes (kind, bulk, next_at);
CREATE INDEX webhook_lanes_held ON webhook_lanes (token) WHERE token IS NOT NULL;
INSERT INTO webhook_lanes (kind, bulk, lane, next_at) VALUES (0, 0, '', 0), (0, 1, '', 0);

-- The outbox. Moments are milliseconds since 1970, 0 for never.

CREATE TABLE outbox_entries (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	phone TEXT NOT NULL,
	person TEXT NOT NULL,
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
	failed_at INTEGER NOT NULL
);
CREATE INDEX outbox_entries_work ON outbox_entries (phone, state, rank, seq);
CREATE INDEX outbox_entries_state ON outbox_entries (state, until_at);
CREATE INDEX outbox_entries_person ON outbox_entries (phone, person, seq);
CREATE INDEX outbox_entries_campaign ON outbox_entries (campaign, seq);
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
