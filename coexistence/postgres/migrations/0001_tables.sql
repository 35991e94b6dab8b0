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

-- A conversation is with one person, or in one group. Its id is never given again. name is the alias that it was made for.
-- What follows is the sum of its messages: how many are shown, how many of those are unread, the place of the latest in the
-- order of the phone, when the customer and a person at the business last wrote. read_… is the place up to which it was read.
CREATE TABLE coexistence_conversations (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	phone TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	message_count BIGINT NOT NULL DEFAULT 0,
	unread BIGINT NOT NULL DEFAULT 0,
	last_at BIGINT NOT NULL DEFAULT 0,
	last_pos BIGINT NOT NULL DEFAULT 0,
	last_id TEXT COLLATE "C" NOT NULL DEFAULT '',
	read_at BIGINT NOT NULL DEFAULT 0,
	read_pos BIGINT NOT NULL DEFAULT 0,
	read_id TEXT COLLATE "C" NOT NULL DEFAULT '',
	customer_at BIGINT,
	human_at BIGINT
) WITH (fillfactor = 70);
CREATE INDEX coexistence_conversations_list ON coexistence_conversations (phone, last_at, last_pos, last_id)
	WHERE message_count > 0;
CREATE INDEX coexistence_conversations_unread ON coexistence_conversations (phone, last_at, last_pos, last_id, unread)
	WHERE unread > 0;

-- The ids of conversations that have become a part of another.
CREATE TABLE coexistence_former_conversations (
	id BIGINT NOT NULL PRIMARY KEY,
	conversation BIGINT NOT NULL REFERENCES coexistence_conversations ON DELETE CASCADE
);
CREATE INDEX coexistence_former_conversations_of ON coexistence_former_conversations (conversation);

-- The names under which a conversation is found.
CREATE TABLE coexistence_aliases (
	phone TEXT COLLATE "C" NOT NULL,
	alias TEXT COLLATE "C" NOT NULL,
	conversation BIGINT NOT NULL REFERENCES coexistence_conversations ON DELETE CASCADE,
	PRIMARY KEY (phone, alias)
);
CREATE INDEX coexistence_aliases_conversation ON coexistence_aliases (conversation);

-- The person of a conversation, as far as one is known.
CREATE TABLE coexistence_contacts (
	conversation BIGINT NOT NULL PRIMARY KEY REFERENCES coexistence_conversations ON DELETE CASCADE,
	phone TEXT COLLATE "C" NOT NULL,
	contact_key TEXT COLLATE "C" NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX coexistence_contacts_key ON coexistence_contacts (phone, contact_key, conversation);

-- The words by whose beginnings a person is found.
CREATE TABLE coexistence_names (
	phone TEXT COLLATE "C" NOT NULL,
	word TEXT COLLATE "C" NOT NULL,
	conversation BIGINT NOT NULL REFERENCES coexistence_conversations ON DELETE CASCADE,
	PRIMARY KEY (phone, word, conversation)
);
CREATE INDEX coexistence_names_conversation ON coexistence_names (conversation);

-- said_at (a whole second), pos and id are the place in the order of the phone. attention is 1 for what the customer wrote,
-- live, 2 for what a person at the business wrote, who has read what is above it, 0 else. conversation is NULL as long as it
-- is not known whose the message is.
CREATE TABLE coexistence_messages (
	phone TEXT COLLATE "C" NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	conversation BIGINT,
	shown BIGINT NOT NULL,
	attention BIGINT NOT NULL,
	said_at BIGINT NOT NULL,
	pos BIGINT NOT NULL,
	human_at BIGINT,
	said TEXT,
	doc TEXT NOT NULL,
	PRIMARY KEY (phone, id)
) WITH (fillfactor = 90);
CREATE INDEX coexistence_messages_page ON coexistence_messages (conversation, shown, said_at, pos, id, attention);
-- What is searched: said has the words of a message, with the number as one of them. The latest messages of a number are
-- walked first, where common words are found soon. New messages wait in a list of the index; whoever finds it full sorts it
-- in, which takes tens of milliseconds with the usual 4 MB.
CREATE INDEX coexistence_messages_said ON coexistence_messages USING gin (to_tsvector('simple', said))
	WITH (gin_pending_list_limit = 256) WHERE said IS NOT NULL;
CREATE INDEX coexistence_messages_time ON coexistence_messages (phone, said_at, pos, id) WHERE said IS NOT NULL;

-- What was forgotten: keyed hashes of numbers, and of people as a number knew them, with the moment until which nothing is
-- stored of them again. An erasure is one that is under way; its row goes with its end.

CREATE TABLE coexistence_tombstone_key (
	id BIGINT PRIMARY KEY,
	secret TEXT NOT NULL
);
INSERT INTO coexistence_tombstone_key (id, secret)
	VALUES (1, replace(CAST(gen_random_uuid() AS text) || CAST(gen_random_uuid() AS text), '-', ''));
CREATE TABLE coexistence_tombstones (
	mark TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	until_at BIGINT NOT NULL
);
CREATE INDEX coexistence_tombstones_until ON coexistence_tombstones (until_at);
CREATE TABLE coexistence_erasures (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	phone TEXT COLLATE "C" NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX coexistence_erasures_phone ON coexistence_erasures (phone);

-- Who answers a conversation, under each alias of its person that something was said about.
CREATE TABLE coexistence_threads (
	phone TEXT COLLATE "C" NOT NULL,
	person TEXT COLLATE "C" NOT NULL,
	doc TEXT NOT NULL,
	PRIMARY KEY (phone, person)
);

-- What numbers are billed for: the messages of each calendar month (as 2026-11) by what Meta bills them as, a hash of each
-- message that was counted lately, and the budgets of which the host is told (told is 1) or is being told.

CREATE TABLE coexistence_usage (
	phone TEXT COLLATE "C" NOT NULL,
	month TEXT COLLATE "C" NOT NULL,
	category TEXT COLLATE "C" NOT NULL,
	type TEXT COLLATE "C" NOT NULL,
	subtype TEXT COLLATE "C" NOT NULL,
	market TEXT COLLATE "C" NOT NULL,
	messages BIGINT NOT NULL,
	PRIMARY KEY (phone, month, category, type, subtype, market)
) WITH (fillfactor = 70);
CREATE TABLE coexistence_usage_messages (
	phone TEXT COLLATE "C" NOT NULL,
	mark TEXT COLLATE "C" NOT NULL,
	counted_at BIGINT NOT NULL,
	PRIMARY KEY (phone, mark)
);
CREATE INDEX coexistence_usage_messages_counted ON coexistence_usage_messages (counted_at);
CREATE TABLE coexistence_usage_alerts (
	phone TEXT COLLATE "C" NOT NULL,
	month TEXT COLLATE "C" NOT NULL,
	budget TEXT COLLATE "C" NOT NULL,
	claimed_until BIGINT NOT NULL,
	told BIGINT NOT NULL,
	PRIMARY KEY (phone, month, budget)
);

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

-- Signups under way, sealed. phone is '' as long as it is not known which number it will be.

CREATE TABLE signup_attempts (
	id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	tenant TEXT COLLATE "C" NOT NULL,
	version BIGINT NOT NULL,
	began_at BIGINT NOT NULL,
	keep_until BIGINT NOT NULL,
	phone TEXT COLLATE "C" NOT NULL,
	sealed BYTEA NOT NULL
);
CREATE INDEX signup_attempts_tenant ON signup_attempts (tenant, began_at);
CREATE INDEX signup_attempts_phone ON signup_attempts (phone);
CREATE INDEX signup_attempts_keep ON signup_attempts (keep_until);

-- The inbox. The state of a delivery or an event: 0 waiting, 1 split (of a delivery: its events are there), 2 dead letter,
-- 3 done (the key is left). left_open counts the events of a delivery that are neither done nor purged.

CREATE TABLE webhook_deliveries (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	record_key TEXT COLLATE "C" UNIQUE,
	bulk BIGINT NOT NULL,
	number TEXT COLLATE "C" NOT NULL DEFAULT '',
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
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (bulk, number, id) WHERE state = 0;
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
-- settled, abandoned how often in a row a lease ended without a settlement. state: 0 ready, 1 leased or pausing until
-- next_at, 2 in quarantine until next_at, and then for those who ask for it. Claims take turns between numbers, and between
-- lanes in which something else than statuses waits (class 0) and others (class 1). The key begins with what is different in
-- each row: a planner that has not seen the table takes kind and bulk for that, and reads all of it. batch lists the
-- deliveries that were claimed last.
CREATE TABLE webhook_lanes (
	kind BIGINT NOT NULL,
	bulk BIGINT NOT NULL,
	lane TEXT COLLATE "C" NOT NULL,
	number TEXT COLLATE "C" NOT NULL DEFAULT '',
	class BIGINT NOT NULL DEFAULT 0,
	state BIGINT NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL,
	token TEXT COLLATE "C",
	held BIGINT NOT NULL DEFAULT 0,
	abandoned BIGINT NOT NULL DEFAULT 0,
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
	seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	phone TEXT COLLATE "C" NOT NULL,
	person TEXT COLLATE "C" NOT NULL,
	by_person BIGINT NOT NULL,
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
	failed_at BIGINT NOT NULL,
	held BIGINT NOT NULL
);
CREATE INDEX outbox_entries_work ON outbox_entries (phone, state, rank, seq);
CREATE INDEX outbox_entries_state ON outbox_entries (state, until_at);
CREATE INDEX outbox_entries_person ON outbox_entries (phone, person, seq);
CREATE INDEX outbox_entries_campaign ON outbox_entries (campaign, seq);
CREATE INDEX outbox_entries_held ON outbox_entries (phone) WHERE held = 1;
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
