-- +goose Up
-- The tables of whatsapp-coexistence for PostgreSQL 13 or newer. Text is compared byte by byte, as Go compares strings,
-- whatever the database's collation is. Moments are microseconds since 1970 unless a comment says otherwise.

-- Which migrations have been applied. Each file adds its own row, so that any tool may run it.
CREATE TABLE IF NOT EXISTS coexistence_migrations (
	version BIGINT PRIMARY KEY,
	applied_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- States, messages and contacts. A document is the JSON of what is stored; the columns beside it are what is searched,
-- sorted and added up. They are derived from the document with every write.

CREATE TABLE coexistence_numbers (
	phone TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	doc TEXT NOT NULL
);

-- The accounts that hold each number.
CREATE TABLE coexistence_number_wabas (
	waba TEXT COLLATE "C" NOT NULL,
	phone TEXT COLLATE "C" NOT NULL REFERENCES coexistence_numbers ON DELETE CASCADE,
	PRIMARY KEY (waba, phone)
);
CREATE INDEX coexistence_number_wabas_phone ON coexistence_number_wabas (phone);

CREATE TABLE coexistence_messages (
	phone TEXT COLLATE "C" NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	person TEXT COLLATE "C" NOT NULL,
	shown BIGINT NOT NULL,
	said_at BIGINT NOT NULL,
	customer_at BIGINT,
	human_at BIGINT,
	doc TEXT NOT NULL,
	PRIMARY KEY (phone, id)
);
CREATE INDEX coexistence_messages_conversation
	ON coexistence_messages (phone, person, shown, said_at, id, customer_at, human_at);

CREATE TABLE coexistence_contacts (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	phone TEXT COLLATE "C" NOT NULL,
	contact_key TEXT COLLATE "C" NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX coexistence_contacts_key ON coexistence_contacts (phone, contact_key, id);
CREATE TABLE coexistence_aliases (
	phone TEXT COLLATE "C" NOT NULL,
	alias TEXT COLLATE "C" NOT NULL,
	contact BIGINT NOT NULL REFERENCES coexistence_contacts ON DELETE CASCADE,
	PRIMARY KEY (phone, alias)
);
CREATE INDEX coexistence_aliases_contact ON coexistence_aliases (contact);

-- The tokens of the businesses that have connected numbers, sealed under tenant, account and number. wabas is a JSON array;
-- expires_at is 0 for a token that does not end.

CREATE TABLE coexistence_tokens (
	phone TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	tenant TEXT COLLATE "C" NOT NULL,
	waba TEXT COLLATE "C" NOT NULL,
	wabas TEXT NOT NULL,
	display TEXT NOT NULL,
	token BYTEA NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX coexistence_tokens_tenant ON coexistence_tokens (tenant, phone);

-- Signups under way, sealed.

CREATE TABLE signup_attempts (
	id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	tenant TEXT COLLATE "C" NOT NULL,
	version BIGINT NOT NULL,
	began_at BIGINT NOT NULL,
	keep_until BIGINT NOT NULL,
	sealed BYTEA NOT NULL
);
CREATE INDEX signup_attempts_tenant ON signup_attempts (tenant, began_at);
CREATE INDEX signup_attempts_keep ON signup_attempts (keep_until);

-- The inbox. The state of a delivery or an event: 0 waiting, 1 split (of a delivery: its events are there), 2 dead letter,
-- 3 done (the key is left). left_open counts the events of a delivery that are neither done nor purged.

CREATE TABLE webhook_deliveries (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	record_key TEXT COLLATE "C" UNIQUE,
	bulk BIGINT NOT NULL,
	state BIGINT NOT NULL DEFAULT 0,
	attempts BIGINT NOT NULL DEFAULT 0,
	received_at BIGINT NOT NULL,
	size BIGINT NOT NULL,
	left_open BIGINT NOT NULL DEFAULT 0,
	changed_at BIGINT NOT NULL DEFAULT 0,
	reason TEXT,
	body BYTEA
);
-- Compressing a megabyte of history takes ten times as long as writing it, and it is there for seconds.
ALTER TABLE webhook_deliveries ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (bulk, id) WHERE state = 0;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (id) WHERE state = 2;
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (changed_at) WHERE state = 3;

CREATE TABLE webhook_events (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	delivery BIGINT NOT NULL,
	place BIGINT NOT NULL,
	record_key TEXT COLLATE "C" UNIQUE,
	lane TEXT COLLATE "C" NOT NULL,
	bulk BIGINT NOT NULL,
	phone_number_id TEXT COLLATE "C" NOT NULL,
	state BIGINT NOT NULL DEFAULT 0,
	attempts BIGINT NOT NULL DEFAULT 0,
	changed_at BIGINT NOT NULL DEFAULT 0,
	reason TEXT
);
CREATE INDEX webhook_events_waiting ON webhook_events (bulk, lane, id) WHERE state = 0;
CREATE INDEX webhook_events_dead ON webhook_events (id) WHERE state = 2;
CREATE INDEX webhook_events_dead_of ON webhook_events (phone_number_id, id) WHERE state = 2;
CREATE INDEX webhook_events_done ON webhook_events (changed_at) WHERE state = 3;

-- A lane is an ordering key: a conversation with something to do. It is there as long as something waits in it; the two of
-- the deliveries (kind 0) are always there. token is the lease that holds it, held how many records of the batch are not
-- settled, next_at when it can be claimed.
CREATE TABLE webhook_lanes (
	kind BIGINT NOT NULL,
	bulk BIGINT NOT NULL,
	lane TEXT COLLATE "C" NOT NULL,
	next_at BIGINT NOT NULL,
	token TEXT COLLATE "C",
	held BIGINT NOT NULL DEFAULT 0,
	worker TEXT,
	PRIMARY KEY (kind, bulk, lane)
);
CREATE INDEX webhook_lanes_next ON webhook_lanes (kind, bulk, next_at);
CREATE INDEX webhook_lanes_held ON webhook_lanes (token) WHERE token IS NOT NULL;
INSERT INTO webhook_lanes (kind, bulk, lane, next_at) VALUES (0, 0, '', 0), (0, 1, '', 0);

-- The outbox. Moments are milliseconds since 1970, 0 for never.

CREATE TABLE outbox_entries (
	seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	phone TEXT COLLATE "C" NOT NULL,
	person TEXT COLLATE "C" NOT NULL,
	campaign TEXT COLLATE "C" NOT NULL,
	rank BIGINT NOT NULL,
	message TEXT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	reason TEXT NOT NULL,
	code BIGINT NOT NULL,
	wamid TEXT COLLATE "C" NOT NULL,
	attempts BIGINT NOT NULL,
	put_at BIGINT NOT NULL,
	until_at BIGINT NOT NULL,
	tried_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	sent_at BIGINT NOT NULL,
	delivered_at BIGINT NOT NULL,
	read_at BIGINT NOT NULL,
	failed_at BIGINT NOT NULL
);
CREATE INDEX outbox_entries_work ON outbox_entries (phone, state, rank, seq);
CREATE INDEX outbox_entries_state ON outbox_entries (state, until_at);
CREATE INDEX outbox_entries_person ON outbox_entries (phone, person, seq);
CREATE INDEX outbox_entries_campaign ON outbox_entries (campaign, seq);
CREATE INDEX outbox_entries_wamid ON outbox_entries (phone, wamid);
CREATE TABLE outbox_campaigns (
	id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	paused BIGINT NOT NULL
);
CREATE TABLE outbox_numbers (
	phone TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	holder TEXT COLLATE "C" NOT NULL,
	held_until BIGINT NOT NULL,
	rests_until BIGINT NOT NULL
);

INSERT INTO coexistence_migrations (version) VALUES (1);
