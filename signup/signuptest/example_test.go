package signuptest_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup/signuptest"
)

// The whole test of a store. Yours opens another store over the same empty database each time.
func ExampleTestStore() {
	store := new(signup.MemStore)
	err := signuptest.TestStore(context.Background(), func(context.Context) (signup.Store, error) { return store, nil })
	fmt.Println(err)
	// Output: <nil>
}
