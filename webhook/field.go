package webhook

// A Field names a webhook field: what an app subscribes to, and how Meta labels a change.
type Field string

const (
	FieldMessages      Field = "messages"           // what customers send, and statuses of what you sent
	FieldHistory       Field = "history"            // past messages of a coexistence number
	FieldAppStateSync  Field = "smb_app_state_sync" // the address book of a coexistence number
	FieldMessageEchoes Field = "smb_message_echoes" // what the business writes on its phone
	FieldAccountUpdate Field = "account_update"     // what happens to an account
)
