package cloudapi_test

import (
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func ExampleToPhone() {
	fmt.Println(cloudapi.ToPhone("+1 (555) 010-0123").Key())
	fmt.Println(cloudapi.ToPhone("15550100123").Key()) // as webhooks have it
	// Output:
	// +15550100123
	// +15550100123
}

// A person may have a user id, a phone number or both; the id survives a change of number.
func ExampleToIdentity() {
	fmt.Println(cloudapi.ToIdentity(graph.Identity{UserID: "US.1555010", WAID: "15550100123"}).Key())
	fmt.Println(cloudapi.ToIdentity(graph.Identity{WAID: "15550100123"}).Key())
	// Output:
	// US.1555010
	// +15550100123
}

func ExampleToUser() {
	fmt.Println(cloudapi.ToUser("US.1555010").Key())
	// Output: US.1555010
}
