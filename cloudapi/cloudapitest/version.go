package cloudapitest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// pathRe splits a path into version and rest.
var pathRe = regexp.MustCompile(`^/(?:(v[0-9]+\.[0-9]+)/)?(.+)$`)

// Versions of the Graph API: the oldest that Meta still answered when this was written, the newest,
// and the day from which each one is answered by the one behind it. The last has none yet.
//
// Meta: https://developers.facebook.com/docs/graph-api/changelog/versions
const (
	oldestVersion = 21
	newestVersion = 26
	newestAt      = "2026-07-29"

	// versionPause is the least time between two versions so far. A version that may have come out
	// since is taken as the newest, so that this server does not refuse what Meta has; assumed.
	versionPause = 110 * 24 * time.Hour
)

var retiredAt = map[int]string{
	21: "2027-01-21", 22: "2027-05-20", 23: "2027-10-08", 24: "2028-02-18", 25: "2028-07-29",
}

// effectiveVersion returns the version that answers a request: the one that it names, the oldest
// usable one if it names none or one that is retired, or nothing for one that does not exist. That
// no path component is read as such a version is why Meta calls the rest of the path unknown.
//
// Meta: https://developers.facebook.com/docs/graph-api/guides/versioning
func effectiveVersion(named string, now time.Time) string {
	oldest := oldestVersion
	for oldest < newestVersion && !now.Before(day(retiredAt[oldest])) {
		oldest++
	}
	newest := newestVersion + max(0, int(now.Sub(day(newestAt))/versionPause))
	major, minor, _ := strings.Cut(strings.TrimPrefix(named, "v"), ".")
	n, _ := strconv.Atoi(major)
	switch {
	case named == "" || n < oldest:
		return "v" + strconv.Itoa(oldest) + ".0"
	case n > newest || minor != "0":
		return ""
	}
	return named
}

// day reads a date of the tables above.
func day(text string) time.Time {
	t, _ := time.Parse(time.DateOnly, text)
	return t
}
