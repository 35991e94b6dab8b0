package coexistence

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// Words takes a text apart into what is searched for: runs of letters, marks and digits, in lower
// case, each once, in their order. Stores that search in Go or keep an index use it.
func Words(text string) []string {
	var list []string
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r)
	}) {
		if word = strings.ToLower(word); !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// Words returns the words by whose beginnings a person is found: of all names, the username, and
// the numbers as digits.
func (c Contact) Words() []string {
	numbers := []string{phonenumber.Digits(c.Identity.WAID)}
	for _, a := range c.Aliases {
		if strings.Trim(a, "0123456789") == "" {
			numbers = append(numbers, a)
		}
	}
	return Words(strings.Join(append(numbers, c.Name, c.FirstName, c.ProfileName, c.Identity.Username), " "))
}

// PeopleWords takes apart what is asked of FindPeople, the longest word first: each of them has to
// begin one of the person's. A number in any spelling is one word.
func PeopleWords(text string) []string {
	if strings.Trim(text, "+0123456789 -().") == "" {
		if digits := phonenumber.Digits(text); digits != "" {
			return []string{digits}
		}
		return nil
	}
	words := Words(text)
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return words
}

// matchPeople reports whether each of the beginnings is that of a word.
func matchPeople(words, beginnings []string) bool {
	for _, b := range beginnings {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, b) }) {
			return false
		}
	}
	return len(beginnings) > 0
}

// SearchWords returns the words by which a message is found: those of its text, none if it is not
// shown or was deleted.
func (m Message) SearchWords() []string {
	if !m.Visible() || m.Revoked() {
		return nil
	}
	return Words(m.Text)
}

// matchWords reports whether a text has all words, the last one as a beginning.
func matchWords(words, wanted []string) bool {
	last := len(wanted) - 1
	for _, w := range wanted[:last] {
		if !slices.Contains(words, w) {
			return false
		}
	}
	return matchPeople(words, wanted[last:])
}
