package coexistence

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// MaxListLimit is the most that one call of a list returns.
const MaxListLimit = 1000

// ErrLimit says that a limit is out of range.
var ErrLimit = errors.New("coexistence: a limit is from 1 to 1,000")

// A ConversationListOptions selects conversations of a number. Limit is required.
type ConversationListOptions struct {
	// After is the Cursor of the conversation behind which the list continues. If empty, it begins
	// with the one that has the latest message.
	After Cursor

	// Unread leaves out those in which everything was read.
	Unread bool

	// Limit is how many there are at most, from 1 to [MaxListLimit].
	Limit int
}

// Bounds returns the place above the list, for stores. Its errors match [ErrLimit] and [ErrCursor].
func (o ConversationListOptions) Bounds() (below Place, err error) {
	below = lastPlace
	if o.After != "" {
		below, err = o.After.Place()
	}
	return below, errors.Join(err, checkLimit(o.Limit))
}

// A MessageListOptions selects messages of a conversation. Limit is required; of Before, After and
// Around, at most one is set. With none of them, the list ends with the latest message, or begins
// at From if that is set.
type MessageListOptions struct {
	// Before and After are the Cursor of the message before or after which the messages stand.
	// Around has the message itself in the list, and as many before as behind it.
	Before, After, Around Cursor

	// From and Until are the times between which they were written, in whole seconds: at From, and
	// before Until. If zero, there is no such limit.
	From, Until time.Time

	// Limit is how many there are at most, from 1 to [MaxListLimit].
	Limit int
}

// A MessageRange is a part of a conversation, for stores: up to Limit messages that stand below
// Above and above Below, those next to Above if Ascending, else those next to Below. Inclusive says
// that one at Above belongs to it.
type MessageRange struct {
	Above, Below Place
	Inclusive    bool
	Ascending    bool
	Limit        int
}

// Ranges returns the ranges that make up the list, one after the other. Its errors match
// [ErrLimit] and [ErrCursor], or say which options exclude each other.
func (o MessageListOptions) Ranges() ([]MessageRange, error) {
	all := MessageRange{Above: firstPlace, Below: lastPlace, Ascending: !o.From.IsZero(), Limit: o.Limit}
	if !o.From.IsZero() {
		all.Above = Place{Second: ceilSecond(o.From), Position: math.MinInt64}
	}
	if !o.Until.IsZero() {
		all.Below = Place{Second: ceilSecond(o.Until), Position: math.MinInt64}
	}
	cursors := 0
	var at Place
	err := checkLimit(o.Limit)
	for _, c := range []Cursor{o.Before, o.After, o.Around} {
		if c != "" {
			var err1 error
			at, err1 = c.Place()
			err = errors.Join(err, err1)
			cursors++
		}
	}
	switch {
	case cursors > 1:
		err = errors.Join(err, errors.New("coexistence: Before, After and Around exclude each other"))
	case o.Before != "":
		all.Ascending, all.Below = false, least(all.Below, at)
	case o.After != "":
		all.Ascending, all.Above = true, greatest(all.Above, at)
	case o.Around != "":
		before, after := all, all
		before.Ascending, before.Below, before.Limit = false, least(all.Below, at), o.Limit/2
		after.Ascending, after.Above, after.Limit = true, greatest(all.Above, at), o.Limit-o.Limit/2
		after.Inclusive = after.Above == at
		if before.Limit > 0 {
			return []MessageRange{before, after}, err
		}
		all = after
	}
	return []MessageRange{all}, err
}

// An UnreadCount counts what is unread of a number, in [MaxListLimit] conversations at most, the
// latest ones: if it counts so many, there may be more, and a badge shows "999+".
type UnreadCount struct {
	Messages      int `json:"messages"`
	Conversations int `json:"conversations"` // in which they are
}

// firstPlace and lastPlace are above and below every place.
var (
	firstPlace = Place{Second: math.MinInt64, Position: math.MinInt64}
	lastPlace  = Place{Second: math.MaxInt64, Position: math.MaxInt64}
)

func least(a, b Place) Place {
	if b.Compare(a) < 0 {
		return b
	}
	return a
}

func greatest(a, b Place) Place {
	if b.Compare(a) > 0 {
		return b
	}
	return a
}

// ceilSecond is the first whole second that is not before t.
func ceilSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

func checkLimit(n int) error {
	if n < 1 || n > MaxListLimit {
		return fmt.Errorf("%w, and not %d", ErrLimit, n)
	}
	return nil
}
