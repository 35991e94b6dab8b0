package webhook_test

import (
	"slices"
	"testing"
)

// eachSpotAndMore is eachSpot with what no sample holds: each member that is read by hand, and
// messages with several objects that may be their content.
func eachSpotAndMore(t *testing.T, fn func(t *testing.T, name string, tree *treeNode, spot treeSpot)) {
	t.Helper()
	eachSpot(t, fn)
	for _, table := range slices.Concat(memberTables, historyTables) {
		for _, row := range table.rows {
			eachSpotOf(t, table.reader+" "+row.name, []byte(table.body(row)), fn)
		}
	}
	for _, typ := range []string{"text", "image", "audio", "sticker", "order"} {
		several := `{"id":"wamid.1","type":"` + typ + `",` +
			`"image":{"id":"1","caption":"c"},"text":{"body":"b"},"audio":{"id":"2","voice":true}}`
		live := inValue("messages", `"messages":[`+several+`]`)
		past := inValue("history", `"history":[{"threads":[{"messages":[`+several+`]}]}]`)
		eachSpotOf(t, "several in a message that is "+typ, []byte(live), fn)
		eachSpotOf(t, "several in a past message that is "+typ, []byte(past), fn)
	}
}

func TestALaterDuplicateReplacesTheEarlierOne(t *testing.T) {
	eachSpotAndMore(t, func(t *testing.T, name string, tree *treeNode, spot treeSpot) {
		before := tree.String()
		if duplicate(spot) {
			sameAs(t, mustDecode(t, before), mustDecode(t, tree.String()), name+spot.path)
		}
	})
}

func TestALaterDuplicateThatIsEmptyLeavesNothingOfTheEarlierOne(t *testing.T) {
	eachSpotAndMore(t, func(t *testing.T, name string, tree *treeNode, spot treeSpot) {
		full := spot.value()
		if full.kind == 0 {
			return
		}
		spot.in.members[spot.index].value = &treeNode{kind: full.kind}
		want := mustDecode(t, tree.String())
		spot.in.members = slices.Insert(spot.in.members, spot.index, treeMember{spot.in.members[spot.index].name, full})
		sameAs(t, want, mustDecode(t, tree.String()), name+spot.path)
	})
}
