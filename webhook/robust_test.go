package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// mutate changes one place of the tree and says what it did.
func mutate(rnd *rand.Rand, tree any) string {
	type spot struct {
		in  map[string]any
		key string
	}
	var spots []spot
	var find func(any)
	find = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			for _, key := range sortedKeys(node) {
				spots = append(spots, spot{node, key})
				find(node[key])
			}
		case []any:
			for _, child := range node {
				find(child)
			}
		}
	}
	find(tree)
	if len(spots) == 0 {
		return "nothing"
	}
	s := spots[rnd.IntN(len(spots))]
	old := s.in[s.key]
	switch rnd.IntN(7) {
	case 0:
		delete(s.in, s.key)
		return "delete " + s.key
	case 1:
		s.in[s.key] = nil
		return "null " + s.key
	case 2:
		switch v := old.(type) {
		case string:
			s.in[s.key] = json.Number("17")
		case json.Number:
			s.in[s.key] = v.String()
		default:
			s.in[s.key] = "17"
		}
		return "swap " + s.key
	case 3:
		s.in["new_member"] = map[string]any{"a": []any{true, nil, json.Number("1")}}
		return "add beside " + s.key
	case 4:
		s.in[s.key] = []any{old}
		return "wrap " + s.key
	case 5:
		s.in[s.key] = map[string]any{s.key: old}
		return "nest " + s.key
	default:
		s.in[s.key] = true
		return "true " + s.key
	}
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// TestMutationsHarmNoNeighbour changes samples in any place, and puts each between two good
// changes: no panic, no loss, and the neighbours come through.
func TestMutationsHarmNoNeighbour(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	neighbour := func(id string) any {
		tree, err := parseTree([]byte(inValue("messages",
			`"messages":[{"id":"`+id+`","type":"text","text":{"body":"`+id+`"}}]`)))
		require.NoError(t, err)
		return tree.(map[string]any)["entry"].([]any)[0]
	}
	for _, name := range webhooktest.Samples() {
		for range 25 {
			tree, err := parseTree(webhooktest.Sample(name.Field, name.Case))
			require.NoError(t, err)
			envelope := tree.(map[string]any)
			change := envelope["entry"].([]any)[0].(map[string]any)["changes"]
			var did []string
			for range 1 + rnd.IntN(3) {
				did = append(did, mutate(rnd, change))
			}
			envelope["entry"] = slices.Concat([]any{neighbour("first")}, envelope["entry"].([]any),
				[]any{neighbour("last")})
			body, err := json.Marshal(tree)
			require.NoError(t, err)
			before := bytes.Clone(body)
			events, err := webhook.Decode(body)
			require.NoError(t, err, "%v %v", name, did)
			require.GreaterOrEqual(t, len(events), 3, "%v %v", name, did)
			require.Equal(t, before, body, "Decode writes to the body")
			require.Equal(t, "first", string(events[0].(*webhook.IncomingMessage).ID))
			require.Equal(t, "last", string(events[len(events)-1].(*webhook.IncomingMessage).ID))
			for _, ev := range events {
				raw := ev.Info().Raw
				require.NotEmpty(t, raw, "%v %v %T %s", name, did, ev, body)
				require.True(t, json.Valid(raw), "%v %v", name, did)
				require.True(t, bytes.Contains(body, raw))
				if c, ok := ev.(*webhook.HistoryChunk); ok {
					for _, m := range c.Messages() {
						require.True(t, json.Valid(m.Raw))
					}
				}
			}
			report, err := checkReachable(body, events)
			require.NoError(t, err)
			require.Empty(t, report, "%v %v %s", name, did, body)
		}
	}
}

// checkReachable returns the scalars of our fields that are neither in a typed member nor in raw
// bytes.
func checkReachable(body []byte, events []webhook.Event) (lost []string, err error) {
	typed, raw := scalars(events)
	tree, err := parseTree(body)
	if err != nil {
		return nil, err
	}
	for _, leaf := range changeLeaves(tree) {
		v := leaf.get()
		if isZeroLeaf(v) || leaf.name() == "messaging_product" && v == "whatsapp" || found(typed, v) || found(raw, v) ||
			leaf.name() == "type" && v == "unsupported" {
			continue
		}
		lost = append(lost, fmt.Sprintf("%s=%v", leaf.path, v))
	}
	return lost, nil
}

func TestHostileShapes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		max  int // events
	}{
		"a million empty messages": {inValue("messages",
			`"messages":[`+strings.TrimSuffix(strings.Repeat(`{},`, 1_000_000), ",")+`]`), 5_001},
		"a million empty statuses": {inValue("messages",
			`"statuses":[`+strings.TrimSuffix(strings.Repeat(`{},`, 1_000_000), ",")+`]`), 5_001},
		"a million empty entries": {`{"entry":[` + strings.TrimSuffix(strings.Repeat(`{},`, 1_000_000), ",") + `]}`,
			5_001},
		"a million empty changes": {`{"entry":[{"changes":[` +
			strings.TrimSuffix(strings.Repeat(`{},`, 1_000_000), ",") + `]}]}`, 5_001},
		"a million bodies": {`[` + strings.TrimSuffix(strings.Repeat(`{},`, 1_000_000), ",") + `]`, 5_001},
		"many unknown names": {`{"entry":[{"changes":[{"field":"messages","value":{"messages":[{` +
			manyNames(100_000) + `}]}}]}]}`, 1},
		"a million brackets": {strings.Repeat(`[`, 1_000_000), 0},
		"a number of 100,000 digits": {inValue("messages",
			`"messages":[{"id":`+strings.Repeat("9", 100_000)+`,"timestamp":1e999999}]`), 1},
	}
	for name, tt := range tests {
		start := time.Now()
		events, _ := webhook.Decode([]byte(tt.body))
		require.Len(t, events, tt.max, name)
		if tt.max > maxSane {
			last, ok := events[tt.max-1].(*webhook.UndecodableEvent)
			require.True(t, ok, name)
			require.ErrorContains(t, last.Err, "more items")
			require.NotEmpty(t, last.Raw)
		}
		t.Logf("%s: %v", name, time.Since(start).Round(time.Millisecond))
	}
}

// maxSane is more than Meta ever puts into a delivery.
const maxSane = 1000

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"name%d":%d,`, i, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func FuzzDecode(f *testing.F) {
	for _, name := range webhooktest.Samples() {
		var compact bytes.Buffer
		if json.Compact(&compact, webhooktest.Sample(name.Field, name.Case)) == nil {
			f.Add(compact.Bytes())
		}
	}
	f.Add([]byte(`[{"entry":[{"changes":[{"value":{"event":"X"}}]}]},5]`))
	f.Add([]byte(`{"entry":[{"changes":[{"field":"messages","value":{"messages":[` +
		`{"\u0069d":"` + "\xff" + `","id":null}]}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		events, err := webhook.Decode(body)
		if !bytes.Equal(before, body) {
			t.Fatal("Decode wrote to the body")
		}
		if err != nil {
			if json.Valid(body) && !strings.Contains(err.Error(), "too deep") &&
				(bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))) {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(body) || len(events) == 0 {
			t.Fatalf("%d events", len(events))
		}
		again, _ := webhook.Decode(body)
		for i, ev := range events {
			checkEvent(t, ev, again[i])
		}
		// Duplicate names make scalars that must not be read; without them, none may be lost.
		if !bytes.Contains(body, []byte(`\`)) && !hasDuplicates(body) {
			if lost, err := checkReachable(body, events); err == nil && len(lost) > 0 {
				t.Fatal(lost)
			}
		}
	})
}

// checkEvent checks an event of any body. again is the same one, decoded once more.
func checkEvent(t *testing.T, ev, again webhook.Event) {
	t.Helper()
	if !json.Valid(ev.Info().Raw) {
		t.Fatalf("%T has no raw bytes", ev)
	}
	if ev.Info().DedupKey != again.Info().DedupKey {
		t.Fatal("the key differs from time to time")
	}
	c, ok := ev.(*webhook.HistoryChunk)
	if !ok {
		return
	}
	stored := &webhook.HistoryChunk{EventInfo: webhook.EventInfo{Raw: c.Raw}}
	if fmt.Sprint(fingerprint([]webhook.Event{c})) == "" || len(c.Threads()) != len(stored.Threads()) {
		t.Fatal("a chunk's bytes alone tell something else")
	}
}

// hasDuplicates reports whether decoding and encoding again loses members.
func hasDuplicates(body []byte) bool {
	tree, err := parseTree(body)
	if err != nil {
		return true
	}
	again, err := json.Marshal(tree)
	return err != nil || bytes.Count(body, []byte(":")) != bytes.Count(again, []byte(":"))
}
