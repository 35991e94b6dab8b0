package coexistence_test

import (
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// Each stage of a number says what the host does next.
func ExampleStage_Advice() {
	for _, s := range []coexistence.Stage{coexistence.StageNone, coexistence.StageSyncing} {
		fmt.Println(s.Connected(), s.Advice())
	}
	// Output:
	// false take the business through Embedded Signup, then call Tracker.Onboard
	// true show the progress, ask the business to keep the app open, treat nothing that is imported as new
}

// The fields that make a number complete, and those that other responders and opt-outs need.
func ExampleOptionalFields() {
	fmt.Println(coexistence.Fields())
	fmt.Println(coexistence.OptionalFields())
	// Output:
	// [account_update history messages smb_app_state_sync smb_message_echoes]
	// [messaging_handovers standby user_preferences]
}
