package inbox

import (
	"context"
	"iter"
	"slices"
)

// deadPage is how many dead letters one call of the store is about.
const deadPage = 100

// DeadLetters walks over the dead letters that f selects, in the order in which their deliveries
// were split. It reads as it goes; the first error ends it.
func (in *Inbox) DeadLetters(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		var after ID
		for {
			page, err := in.store.DeadLetters(ctx, f, after, deadPage)
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			for _, l := range page {
				if !yield(l, nil) {
					return
				}
				after = l.ID
			}
			if len(page) < deadPage {
				return
			}
		}
	}
}

// ReplayDeadLetters gives the dead letters with these IDs another chance, after a bug was fixed or
// this package was updated: their deliveries are decoded again, and what was not handled is. It
// returns how many of them it found. No IDs are no dead letters, and not all of them; for those,
// collect the IDs first:
//
//	var ids []inbox.ID
//	for l, err := range in.DeadLetters(ctx, inbox.Filter{}) {
//		if err != nil {
//			return err
//		}
//		ids = append(ids, l.ID)
//	}
//	n, err := in.ReplayDeadLetters(ctx, ids...)
func (in *Inbox) ReplayDeadLetters(ctx context.Context, ids ...ID) (int, error) {
	return in.inPages(ids, func(ids []ID) (int, error) {
		n, err := in.store.ReplayDeadLetters(ctx, ids)
		in.wakeSplitters()
		return n, err
	})
}

// DeleteDeadLetters deletes the dead letters with these IDs; no IDs are none. It returns how many
// of them it found.
func (in *Inbox) DeleteDeadLetters(ctx context.Context, ids ...ID) (int, error) {
	return in.inPages(ids, func(ids []ID) (int, error) { return in.store.DeleteDeadLetters(ctx, ids) })
}

// inPages calls fn with some of the IDs at a time, and returns the sum of its results.
func (in *Inbox) inPages(ids []ID, fn func([]ID) (int, error)) (sum int, err error) {
	for page := range slices.Chunk(ids, deadPage) {
		n, err := fn(page)
		sum += n
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}
