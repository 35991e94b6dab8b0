// Package phonenumber reads the digits of phone numbers, however they are written. Package graph
// uses it, so it imports none of ours.
package phonenumber

import "strings"

// Digits returns the ASCII digits of s, in order: "+1 (555) 010-0123" becomes "15550100123". What
// has nothing but digits is returned as it is, without a copy. Never send to the result of anything
// but a phone number.
func Digits(s string) string {
	clean := true
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
