package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is added and removed, and in which order, pages are what a sorted list would have.
func TestPagesOfDeadLettersAreInOrder(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var s sortedIDs
	var want []ID
	for step := range 20_000 {
		id := ID(rnd.IntN(8000))
		if step < 2000 { // in order at first, as they mostly come
			id = ID(4 * step)
		}
		at, found := slices.BinarySearch(want, id)
		switch remove := step >= 2000 && rnd.IntN(3) == 0; {
		case remove && found:
			want = slices.Delete(want, at, at+1)
			s.remove(id)
		case remove:
			s.remove(id)
		case found:
			s.add(id)
		default:
			want = slices.Insert(want, at, id)
			s.add(id)
		}
		if step%50 == 0 {
			after, limit := ID(rnd.IntN(9000)-500), rnd.IntN(1500)
			from, found := slices.BinarySearch(want, after)
			if found {
				from++
			}
			page := want[from:min(from+limit, len(want))]
			require.True(t, slices.Equal(page, s.page(after, limit)), "seed %d, step %d", seed, step)
		}
	}
	for _, id := range slices.Clone(want) {
		s.remove(id)
	}
	require.Empty(t, s.chunks)
}

func BenchmarkDeadLettersPage(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := New(func(ID) {})
			for i := range n {
				m.dead.add(&record{StoredRecord: StoredRecord{Record: Record{ID: ID(i + 1), PhoneNumberID: "1"}}})
			}
			for b.Loop() {
				require.Len(b, m.DeadLetters("1", ID(n/2), 500), 500)
			}
		})
	}
}
