package graph_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// pages yields three items, and an error instead of the item at failing.
func pages(failing int, failure error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range 3 {
			if i == failing {
				yield(0, failure)
				return
			}
			if !yield(i, nil) {
				return
			}
		}
	}
}

func TestCollectReturnsAllOrTheError(t *testing.T) {
	t.Parallel()
	all, err := graph.Collect(pages(-1, nil))
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, all)

	failure := errors.New("page 2 did not come")
	all, err = graph.Collect(pages(2, failure))
	require.ErrorIs(t, err, failure)
	require.Nil(t, all, "half a list looks like a whole one")
}
