package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// eachSpot calls fn with a fresh copy of every typed sample and each of its members in turn.
func eachSpot(t *testing.T, fn func(t *testing.T, name string, tree *treeNode, spot treeSpot)) {
	t.Helper()
	t.Parallel()
	for _, s := range webhooktest.Samples() {
		if name := s.Field + "/" + s.Case; rawOnPurpose[name] == "" {
			eachSpotOf(t, name, webhooktest.Sample(s.Field, s.Case), fn)
		}
	}
}

// eachSpotOf is eachSpot for one body.
func eachSpotOf(t *testing.T, name string, body []byte,
	fn func(t *testing.T, name string, tree *treeNode, spot treeSpot)) {
	t.Helper()
	tree := newTree(t, body)
	for i := range tree.spots("") {
		fresh := tree.clone()
		fn(t, name, fresh, fresh.spots("")[i])
	}
}

// sameAs compares what two bodies tell, in whatever order they tell it.
func sameAs(t *testing.T, want, got []webhook.Event, msg ...any) {
	t.Helper()
	a, b := typedView(want), typedView(got)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Errorf("%v\n  want %s\n  got  %s", msg, a, b)
	}
}

// freeNames are members whose names the host chooses when it asks for a payment: none is unknown,
// and one that is null is there.
const freeNames = ".payment.notes."

func TestNullMeansAbsent(t *testing.T) {
	eachSpot(t, func(t *testing.T, name string, tree *treeNode, spot treeSpot) {
		if strings.Contains(spot.path, freeNames) {
			return
		}
		removed := tree.clone()
		for _, s := range removed.spots("") {
			if s.path == spot.path && s.index == spot.index {
				remove(s)
				break
			}
		}
		nullify(spot)
		sameAs(t, mustDecode(t, removed.String()), mustDecode(t, tree.String()), name+spot.path)
	})
}

func TestStringsAndNumbersAreAlike(t *testing.T) {
	eachSpot(t, func(t *testing.T, name string, tree *treeNode, spot treeSpot) {
		before := tree.String()
		if swapKind(spot) {
			sameAs(t, mustDecode(t, before), mustDecode(t, tree.String()), name+spot.path)
		}
	})
}

func TestMembersThatAreNewHarmNothingAndAreReported(t *testing.T) {
	eachSpot(t, func(t *testing.T, name string, tree *treeNode, spot treeSpot) {
		if strings.Contains(spot.path, freeNames) {
			return
		}
		before := tree.String()
		addBeside(spot)
		events := mustDecode(t, tree.String())
		sameAs(t, mustDecode(t, before), events, name+spot.path)
		_, raw := scalars(events)
		assert.True(t, raw[novelty], "%s%s is in no list of unknown members", name, spot.path)
	})
}

func TestAMissingMemberTakesNothingElseWithIt(t *testing.T) {
	eachSpot(t, func(t *testing.T, name string, tree *treeNode, spot treeSpot) {
		remove(spot)
		body := []byte(tree.String())
		events := mustDecode(t, string(body))
		lost, err := checkReachable(body, events)
		require.NoError(t, err)
		assert.Empty(t, lost, name+spot.path)
	})
}

func TestOrderOfMembersMeansNothing(t *testing.T) {
	t.Parallel()
	var trees []*treeNode
	for _, s := range webhooktest.Samples() {
		if rawOnPurpose[s.Field+"/"+s.Case] != "" {
			continue
		}
		tree := newTree(t, webhooktest.Sample(s.Field, s.Case))
		trees = append(trees, tree)
		reversed := tree.clone()
		reversed.reorder(func(members []treeMember) []treeMember { slices.Reverse(members); return members })
		sameAs(t, mustDecode(t, tree.String()), mustDecode(t, reversed.String()), s)
	}
	rapid.Check(t, func(rt *rapid.T) {
		tree := rapid.SampledFrom(trees).Draw(rt, "tree")
		shuffled := tree.clone()
		shuffled.reorder(func(members []treeMember) []treeMember {
			return rapid.Permutation(members).Draw(rt, "order")
		})
		got, err := webhook.Decode([]byte(shuffled.String()))
		require.NoError(rt, err)
		require.ElementsMatch(rt, typedView(mustDecode(t, tree.String())), typedView(got))
	})
}

func (n *treeNode) reorder(order func([]treeMember) []treeMember) {
	if len(n.members) > 1 {
		n.members = order(n.members)
	}
	for _, m := range n.members {
		m.value.reorder(order)
	}
	for _, item := range n.items {
		item.reorder(order)
	}
}

// changes are what can happen to a member, with those that make a value one of another kind.
var changes = []struct {
	name  string
	apply func(treeSpot) bool
}{
	{"remove", remove},
	{"null", nullify},
	{"swap", swapKind},
	{"add", addBeside},
	{"duplicate", duplicate},
	{"true", func(s treeSpot) bool { s.in.members[s.index].value = &treeNode{scalar: "true"}; return true }},
	{"wrap", func(s treeSpot) bool {
		s.in.members[s.index].value = &treeNode{kind: '[', items: []*treeNode{s.value()}}
		return true
	}},
	{"nest", func(s treeSpot) bool {
		s.in.members[s.index].value = &treeNode{kind: '{', members: []treeMember{{"zq_nest", s.value()}}}
		return true
	}},
	{"half an emoji",
		func(s treeSpot) bool { s.in.members[s.index].value = &treeNode{scalar: `"\ud83d"`}; return true }},
	{"a huge number", func(s treeSpot) bool {
		s.in.members[s.index].value = &treeNode{scalar: strings.Repeat("9", 400)}
		return true
	}},
}

// A crowd is a sample whose list holds its only item three times. The one in the middle is a copy
// of its own.
type crowd struct {
	name string
	tree *treeNode
	list *treeNode
	good string
	want []webhook.Event // what the first and the last item are, whatever becomes of the one between them
}

// crowds returns the samples that have a list with one item, which becomes an event.
func crowds(t *testing.T) (all []crowd) {
	t.Helper()
	for _, s := range webhooktest.Samples() {
		for i := range newTree(t, webhooktest.Sample(s.Field,
			s.Case)).member("entry").items[0].member("changes").items[0].member("value").members {
			tree := newTree(t, webhooktest.Sample(s.Field, s.Case))
			m := tree.member("entry").items[0].member("changes").items[0].member("value").members[i]
			if m.value.kind != '[' || len(m.value.items) != 1 || m.value.items[0].kind != '{' {
				continue
			}
			c := crowd{name: fmt.Sprintf("%s/%s %s", s.Field, s.Case, m.name), tree: tree, list: m.value,
				good: m.value.items[0].String()}
			c.list.items = []*treeNode{c.list.items[0], c.list.items[0]}
			if c.want = c.neighbours(mustDecode(t, tree.String())); len(c.want) == 2 {
				all = append(all, c)
			}
		}
	}
	require.Greater(t, len(all), 40, "the samples have lost their lists")
	return all
}

// neighbours returns the events of the items that are whole.
func (c crowd) neighbours(events []webhook.Event) (found []webhook.Event) {
	for _, ev := range events {
		if string(ev.Info().Raw) == c.good {
			found = append(found, ev)
		}
	}
	return found
}

// TestAnItemHarmsNoNeighbourInItsList puts an item with up to four changes between two that are
// whole, in the same list of the same change.
func TestAnItemHarmsNoNeighbourInItsList(t *testing.T) {
	t.Parallel()
	for some := range slices.Chunk(crowds(t), 8) {
		rapid.Check(t, func(rt *rapid.T) {
			c := rapid.SampledFrom(some).Draw(rt, "sample")
			good := c.list.items[0]
			bad := good.clone()
			var did []string
			for range rapid.IntRange(1, 4).Draw(rt, "changes") {
				spots := bad.spots("")
				if len(spots) == 0 {
					break
				}
				spot := spots[rapid.IntRange(0, len(spots)-1).Draw(rt, "spot")]
				change := changes[rapid.IntRange(0, len(changes)-1).Draw(rt, "change")]
				if change.apply(spot) {
					did = append(did, change.name+" "+spot.path)
				}
			}
			if bad.String() == c.good {
				rt.Skip("nothing changed")
			}
			tree := c.tree.with(c.list, []*treeNode{good, bad, good})
			body := []byte(tree)
			before := bytes.Clone(body)
			events, err := webhook.Decode(body)
			require.NoError(rt, err, "%s %v", c.name, did)
			require.Equal(rt, before, body, "Decode wrote to the body")
			require.Equal(rt, typedView(c.want), typedView(c.neighbours(events)), "%s %v", c.name, did)
			for _, ev := range events {
				raw := ev.Info().Raw
				require.True(rt, json.Valid(raw) && bytes.Contains(body, raw), "%s %v: %T has other bytes", c.name, did,
					ev)
			}
			if !strings.Contains(fmt.Sprint(did), "duplicate") { // what a duplicate replaces must not be read
				lost, err := checkReachable(body, events)
				require.NoError(rt, err)
				require.Empty(rt, lost, "%s %v", c.name, did)
			}
		})
	}
}

// with returns the tree as text, with other items in one of its lists.
func (n *treeNode) with(list *treeNode, items []*treeNode) string {
	old := list.items
	defer func() { list.items = old }()
	list.items = items
	return n.String()
}
