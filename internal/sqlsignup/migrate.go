package sqlsignup

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"

// schema is the table. Moments are microseconds since 1970.
var schema = sqldb.Schema{Name: "signup", Lock: 0x7369676e7570, Steps: [][]string{{
	`CREATE TABLE signup_attempts (
		id $str NOT NULL PRIMARY KEY, owner $str NOT NULL, version $number NOT NULL, began_at $number NOT NULL,
		keep_until $number NOT NULL, sealed $bytes NOT NULL)`,
	`CREATE INDEX signup_attempts_owner ON signup_attempts (owner, began_at)`,
	`CREATE INDEX signup_attempts_keep ON signup_attempts (keep_until)`,
}}}
