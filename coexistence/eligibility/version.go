package eligibility

import (
	"regexp"
	"slices"
	"strings"

	goversion "github.com/hashicorp/go-version"
)

var (
	dottedNumber = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)+`)
	spacedDot    = regexp.MustCompile(`\s*\.\s*`)
)

// An appVersion is a version of the app in numbers. "beta" does not count: a beta of 2.24.17 is a
// 2.24.17.
type appVersion struct {
	*goversion.Version

	parts int // as many numbers as were given; goversion adds zeros
}

// maxShown is more than any app shows. What is longer is no version, and would end up in the texts
// for people.
const maxShown = 100

// parseVersion finds the version in what the app shows, or returns nil if there is none or more
// than one.
//
// The App Store leaves the leading 2 out, so 24.17.79 is taken for 2.24.17.79: the second number is
// the year.
func parseVersion(shown string) *appVersion {
	if len(shown) > maxShown {
		return nil
	}
	found := dottedNumber.FindAllString(spacedDot.ReplaceAllString(shown, "."), 2)
	if len(found) != 1 {
		return nil
	}
	text := found[0]
	v, err := goversion.NewVersion(text)
	if err == nil && v.Segments64()[0] >= 20 {
		text = "2." + text
		v, err = goversion.NewVersion(text)
	}
	if err != nil {
		return nil
	}
	return &appVersion{Version: v, parts: strings.Count(text, ".") + 1}
}

func (v *appVersion) lessThan(other *appVersion) bool { return v.LessThan(other.Version) }

// isPrefixOf reports whether v stops before it has come to a difference: 2.24 says nothing about
// 2.24.17.
func (v *appVersion) isPrefixOf(other *appVersion) bool {
	return v.parts < other.parts && slices.Equal(v.Segments64()[:v.parts], other.Segments64()[:v.parts])
}
