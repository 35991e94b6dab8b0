package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// eachBytes calls f for all byte slices that can be reached from v, with the way there.
func eachBytes(v reflect.Value, path string, f func(path string, b []byte)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachBytes(v.Elem(), path, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				eachBytes(v.Field(i), path+"."+field.Name, f)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Len() > 0 {
				f(path, v.Bytes())
			}
			return
		}
		for i := range v.Len() {
			eachBytes(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			eachBytes(it.Value(), path+"[]", f)
		}
	}
}

// aliases reports whether b lies in body.
func aliases(b, body []byte) bool {
	at, start := uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(unsafe.SliceData(body)))
	return at >= start && at < start+uintptr(len(body))
}

// checkRaw wants all raw bytes of a body's events to be bytes of the body, without room behind
// their end: who appends to them would write over what follows. It returns how many there are.
func checkRaw(t *testing.T, name string, body []byte) (n int) {
	t.Helper()
	body = slices.Clip(bytes.Clone(body))
	events, err := webhook.Decode(body)
	require.NoError(t, err, name)
	check := func(path string, b []byte) {
		n++
		if aliases(b, body) {
			if len(b) != cap(b) {
				t.Errorf("%s: %s has room for %d bytes more\n%s", name, path, cap(b)-len(b), b)
			}
			return
		}
		// What was decoded before it turned out to have no place is written again, as a text.
		if !strings.HasSuffix(path, ".Value") || b[0] != '"' {
			t.Errorf("%s: %s is a copy\n%s", name, path, b)
		}
	}
	for _, ev := range events {
		path := strings.TrimPrefix(fmt.Sprintf("%T", ev), "*webhook.")
		require.NotEmpty(t, ev.Info().Raw, "%s: %s", name, path)
		eachBytes(reflect.ValueOf(ev), path, check)
		if c, ok := ev.(*webhook.HistoryChunk); ok {
			eachBytes(reflect.ValueOf(c.Threads()), path+".Threads", check)
			for thread, m := range c.Messages() {
				eachBytes(reflect.ValueOf(m), path+".Messages", check)
				eachBytes(reflect.ValueOf(thread), path+".Messages.Thread", check)
			}
		}
	}
	return n
}

func TestRawBytesEndWhereTheyEnd(t *testing.T) {
	t.Parallel()
	bodies := map[string][]byte{
		"text": payload.Text(), "status": payload.Status(), "batch": payload.Batch(100), "history": payload.History(300,
			9), "empty": payload.EmptyHistory(3),
		"array": []byte(`[` + inValue("messages", `"messages":[5,{"id":"m"}]`) +
			`,5,{"object":"page","entry":[]},{"entry":[{"changes":[]},{"time":"x"}],"new":{}}]`),
		"odd": []byte(inValue("messages",
			`"statuses":[{"id":"s","timestamp":"soon","errors":[{"code":"E_LATE"}]}]`)),
		"no list": []byte(`[null]`),
	}
	for i, body := range near() {
		bodies[fmt.Sprint("oddity ", i)] = body
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	for _, name := range webhooktest.Samples() {
		body := webhooktest.Sample(name.Field, name.Case)
		bodies[fmt.Sprint(name)] = body
		for i := range 5 {
			tree, err := parseTree(body)
			require.NoError(t, err)
			did := mutate(rnd, tree.(map[string]any)["entry"])
			odd, err := json.Marshal(tree)
			require.NoError(t, err)
			bodies[fmt.Sprint(name, " ", i, ": ", did)] = odd
		}
	}
	n := 0
	for name, body := range bodies {
		n += checkRaw(t, name, body)
		n += checkRaw(t, name+", compact", compacted(t, body))
		n += checkRaw(t, name+", spaced", spaced(body))
	}
	t.Logf("%d raw parts", n)
}

func TestRawBytesEndWhereTheyEndInTheCorpus(t *testing.T) {
	t.Parallel()
	n := 0
	for name, body := range corpusFiles(t) {
		n += checkRaw(t, name, body)
		n += checkRaw(t, name+", compact", compacted(t, body))
	}
	t.Logf("%d raw parts", n)
	require.Greater(t, n, 500)
}
