package sqlite_test

import (
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
)

// The tables as SQL, for people and for tools. Open makes them.
func ExampleSchema() {
	fmt.Println(strings.Contains(sqlite.Schema(), "coexistence_messages"))
	// Output: true
}
