package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func ExampleCode() {
	err := fmt.Errorf("sending the reminder: %w", graph.Code(131056))
	switch {
	case errors.Is(err, graph.CodeReengagementMessage):
		fmt.Println("send a template instead")
	case errors.Is(err, graph.ErrThrottled):
		fmt.Println("try again later")
	}
	// Output: try again later
}

func ExampleLookup() {
	// Meta answers "code 4", which looks like a throttle; the subcode tells what it is.
	info, ok := graph.Lookup(4, 2593107)
	fmt.Println(ok, info.Class, info.Retry, info.Actor)
	fmt.Println(info.Advice)
	// Output:
	// true graph: sync never business
	// do not repeat; to sync again, disconnect the number in the app and onboard it anew
}

func ExampleMatchCode() {
	fmt.Println(graph.MatchCode(100, 33, graph.ErrAccessLost))
	fmt.Println(graph.MatchCode(100, 33, graph.ErrInvalidRequest))
	// Output:
	// true
	// false
}

func ExampleCodes() {
	for _, info := range graph.Codes() {
		if info.Retry == graph.RetryNewWindow {
			fmt.Println(int(info.Code), info.Title)
		}
	}
	// Output: 131047 Re-engagement message
}

func ExampleIdentity_Key() {
	fmt.Println(graph.Identity{UserID: "US.13491208655302741918", WAID: "15550100123"}.Key())
	fmt.Println(graph.Identity{WAID: "15550100123"}.Key())
	// Output:
	// US.13491208655302741918
	// 15550100123
}

func ExampleEquivalenceKey() {
	fmt.Println(graph.EquivalenceKey("5531988880123") == graph.EquivalenceKey("+55 31 8888-0123"))
	// Output: true
}

func ExampleTimestamp() {
	var status struct {
		At graph.Timestamp `json:"timestamp"`
	}
	if err := json.Unmarshal([]byte(`{"timestamp":"1776256245"}`), &status); err != nil {
		panic(err)
	}
	fmt.Println(status.At)
	// Output: 2026-04-15 12:30:45 +0000 UTC
}

func ExampleSecret() {
	token := graph.Secret("made-up-token")
	fmt.Println(token)
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})).Info("calling", "token", token)
	fmt.Println(token.Reveal())
	// Output:
	// [secret]
	// level=INFO msg=calling token=[secret]
	// made-up-token
}

// A list is read to its end. The first error ends it, and is returned.
func ExampleCollect() {
	all, err := graph.Collect(func(yield func(string, error) bool) {
		_ = yield("first", nil) && yield("second", nil)
	})
	fmt.Println(all, err)
	// Output: [first second] <nil>
}

// A user id of a business is told from a phone number.
func ExampleIsUserID() {
	fmt.Println(graph.IsUserID("US.13491208655302741918"), graph.IsUserID("15550100123"))
	// Output: true false
}

// The classes of errors, with what a program does about each.
func ExampleClasses() {
	for _, class := range graph.Classes()[:2] {
		fmt.Println(class.Error())
	}
	// Output:
	// graph: auth
	// graph: permission
}

// Meta's seconds, and a text of a database.
func ExampleParseTimestamp() {
	fmt.Println(graph.ParseTimestamp("1776256245").UTC())
	// Output: 2026-04-15 12:30:45 +0000 UTC
}
