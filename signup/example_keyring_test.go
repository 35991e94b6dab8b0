package signup_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// To change the key, the new one goes in front; the old one decrypts until nothing of its time is
// left.
func ExampleNewKeyring() {
	oldKey, newKey := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32) // random bytes, in fact
	before, err := signup.NewKeyring(oldKey)
	if err != nil {
		log.Fatal(err)
	}
	stored, err := before.Encrypt([]byte("a token"), []byte("tenant-1"))
	if err != nil {
		log.Fatal(err)
	}
	now, err := signup.NewKeyring(newKey, oldKey)
	if err != nil {
		log.Fatal(err)
	}
	token, err := now.Decrypt(stored, []byte("tenant-1"))
	fmt.Println(string(token), err)
	fmt.Println(now.NeedsReencryption(stored))
	// Output:
	// a token <nil>
	// true
}

// What a page does with an outcome: who must act, and whether the same attempt can go on.
func ExampleOutcome_Actor() {
	outcome := signup.OutcomeCodeExpired
	fmt.Println(outcome.Connected(), outcome.Resumable())
	fmt.Println(outcome.Actor())
	// Output:
	// false false
	// business
}
