package graph

import (
	"cmp"
	"slices"
	"strconv"
)

// A Code is an error code of the Graph API or Cloud API. Like a syscall.Errno it is an error
// itself: match one code with errors.Is(err, [CodeReengagementMessage]), a class of codes with
// errors.Is(err, [ErrThrottled]).
//
// A code that Meta writes as a seven-digit subcode, mostly under code 100, is a Code too:
// [CodeSyncLimitExceeded].
//
// Beware of the zero value: 0 is a code of Meta's ([CodeAuthException]), so a Code alone
// cannot say that there is none.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
type Code int

// Error names the code and says what to do, as far as it is known.
func (c Code) Error() string {
	s := "graph: code " + strconv.Itoa(int(c))
	if info, ok := Lookup(c, 0); ok {
		s += " (" + info.Title + "): " + info.Advice
	}
	return s
}

// Is reports whether c belongs to the class target. Equal codes are matched by errors.Is itself.
func (c Code) Is(target error) bool {
	class, ok := target.(Class)
	if !ok || class == "" {
		return false
	}
	info, ok := Lookup(c, 0)
	return ok && info.Class == class
}

// ProvesRefusal reports whether an answer with this code proves that Meta did nothing, so that even
// a send may be repeated after a pause without a message going out twice. It holds for the codes 4,
// 80007, 80008, 130429, 131056 and 131057 only; HTTP statuses prove nothing.
//
// Look at the subcode first: [CodeSyncLimitExceeded] and [CodeSyncWindowClosed] were seen as
// subcodes of code 4, and such a request must not be repeated.
func (c Code) ProvesRefusal() bool {
	switch c {
	case CodeAppRateLimit, CodeRateLimitIssues, CodeWABARateLimit,
		CodeRateLimitHit, CodePairRateLimitHit, CodeAccountInMaintenance:
		return true
	}
	return false
}

// MatchCode reports whether an error with this code and subcode is target: one of the two codes or
// the class of the pair. Error types that carry both call it from their Is method, and must not
// unwrap to the Code as well: the class belongs to the pair, not to either number. Code 4 with
// subcode 2593107 is [ErrSync] and not [ErrThrottled].
func MatchCode(code Code, subcode int, target error) bool {
	switch target := target.(type) {
	case Code:
		return target == code || standsAlone(subcode) && target == Code(subcode)
	case Class:
		info, ok := Lookup(code, subcode)
		return ok && target != "" && info.Class == target
	}
	return false
}

// A CodeInfo describes a code.
type CodeInfo struct {
	// Code and Subcode name the condition. A seven-digit number is in Code, wherever Meta wrote it;
	// Subcode is set where only the pair has a meaning, such as 190 with 463.
	Code    Code
	Subcode int

	// Title is Meta's title, or ours where Meta has none. For people who look it up; never match
	// it.
	Title string

	// Class matches the code with errors.Is.
	Class Class

	// Retry says whether a repeat can succeed.
	Retry Retryability

	// Actor is the party that has to act.
	Actor Actor

	// HTTPStatus is the usual status of such an answer, and weak evidence. 0 if it is not
	// documented or the code never comes as an answer to a call.
	HTTPStatus int

	// Meaning describes what happened, in sentences.
	Meaning string

	// Advice is one imperative clause without capital and full stop, so that it can follow a colon.
	Advice string

	// Source is Meta's page, or a note that the code is known from reports only.
	Source string
}

// A Retryability says whether the same request can succeed later. It does not say that repeating is
// free of risk: a message may go out twice unless [Code.ProvesRefusal].
type Retryability string

const (
	RetryNever     Retryability = "never"      // not before something else has changed
	RetryNow       Retryability = "now"        // at once; for cursors after paging was restarted
	RetryLater     Retryability = "later"      // after a pause
	RetryNewWindow Retryability = "new window" // once the customer has written again; a template can be sent meanwhile
)

// An Actor is the party that can fix an error.
type Actor string

const (
	ActorDeveloper Actor = "developer" // the people who write or run the program that called
	ActorBusiness  Actor = "business"  // the business that owns the number
	ActorCustomer  Actor = "customer"  // the person written to
	ActorMeta      Actor = "meta"      // Meta, mostly through its support
	ActorNone      Actor = "none"      // no one has to act: wait
)

// Lookup returns what is known about a code. It tries the pair, then the subcode where it has a
// meaning of its own (seven digits), then the code, then the range 200 to 299, all of which is
// about permissions. Pass 0 for a missing subcode. It reports false for an unknown code.
//
// Codes of Embedded Signup's session messages are found as well. The HTTP statuses 421, 427 and 432
// are not: those a flow endpoint returns, Meta never does.
func Lookup(code Code, subcode int) (CodeInfo, bool) {
	if subcode != 0 {
		if info, ok := find(code, subcode); ok {
			return info, true
		}
		if standsAlone(subcode) {
			if info, ok := find(Code(subcode), 0); ok {
				return info, true
			}
		}
	}
	if info, ok := find(code, 0); ok {
		return info, true
	}
	if code >= 200 && code <= 299 {
		info, ok := find(CodePermissionMissing, 0)
		info.Code = code
		return info, ok
	}
	return CodeInfo{}, false
}

// standsAlone reports whether a subcode has its meaning without the code. Small ones do not: 33
// under code 100 is a different thing than code 33.
func standsAlone(subcode int) bool { return subcode >= 200000 }

func find(code Code, subcode int) (CodeInfo, bool) {
	i, ok := slices.BinarySearchFunc(codeTable, code, func(info CodeInfo, code Code) int {
		return cmp.Or(cmp.Compare(info.Code, code), cmp.Compare(info.Subcode, subcode))
	})
	if ok {
		return codeTable[i], true
	}
	if subcode == 0 {
		return findSignup(code)
	}
	return CodeInfo{}, false
}

// Codes returns everything that is known, in order of code and subcode: for a host's documentation,
// dashboards and tests.
func Codes() []CodeInfo {
	all := slices.Clone(codeTable)
	for _, area := range signupAreas {
		for _, code := range slices.Concat(area.codes, area.later) {
			info, _ := findSignup(code)
			all = append(all, info)
		}
	}
	slices.SortFunc(all, func(a, b CodeInfo) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Subcode, b.Subcode))
	})
	return all
}
