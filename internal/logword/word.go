// Package logword keeps what strangers write out of the log, and its length.
package logword

import "regexp"

var plain = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Plain returns a word from a stranger's request as it may stand in the log: itself if it is a name
// as programs make them, "other" if it is anything else, and "" if there is none.
func Plain(word string) string {
	if word == "" || plain.MatchString(word) {
		return word
	}
	return "other"
}
