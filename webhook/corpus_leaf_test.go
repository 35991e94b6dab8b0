package webhook_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// typedMembers returns what each typed member of the events holds, by its path. Raw bytes and
// unknown members are none.
func typedMembers(events []webhook.Event) map[string]string {
	all := make(map[string]string)
	for i, ev := range events {
		at := fmt.Sprintf("%d %T", i, ev)
		addTyped(all, at, reflect.ValueOf(ev))
		if c, ok := ev.(*webhook.HistoryChunk); ok {
			addTyped(all, at+".Threads", reflect.ValueOf(c.Threads()))
		}
	}
	return all
}

func addTyped(all map[string]string, at string, v reflect.Value) {
	switch v.Type() {
	case timeType:
		all[at] = strconv.FormatInt(v.Interface().(time.Time).Unix(), 10)
		return
	case rawType, bytesType, memberType, errorType:
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			all[at] = v.Elem().Type().String()
			addTyped(all, at, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && (f.Name != "DedupKey" || f.Type.Kind() != reflect.String) {
				addTyped(all, at+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			addTyped(all, fmt.Sprintf("%s[%d]", at, i), v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			addTyped(all, fmt.Sprintf("%s[%v]", at, it.Key()), it.Value())
		}
	case reflect.String:
		all[at] = v.String()
	case reflect.Bool:
		all[at] = strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		all[at] = strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		all[at] = strconv.FormatFloat(v.Float(), 'g', -1, 64)
	default:
		panic(at + ": a member of kind " + v.Kind().String())
	}
}

var errorType = reflect.TypeFor[error]()

// hasType reports whether a typed member shows what a leaf holds: once the leaf holds another
// scalar, some member that did not hold that does.
func hasType(tree any, l leaf, before map[string]string, decode func([]byte) ([]webhook.Event, error)) (bool, error) {
	old := l.get()
	defer l.set(old)
	for _, other := range likewise(old) {
		l.set(other)
		body, err := json.Marshal(tree)
		if err != nil {
			return false, err
		}
		events, err := decode(body)
		if err != nil {
			return false, err
		}
		_, isBool := other.(bool)
		want := forms(other)
		for at, now := range typedMembers(events) {
			if was, ok := before[at]; (!ok || was != now) &&
				(isBool && (now == "true" || now == "false") || slices.Contains(want, now)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// likewise returns other scalars of the same shape. null says nothing about what it stands for, so
// each shape has its turn.
func likewise(v any) []any {
	switch v := v.(type) {
	case bool:
		return []any{!v}
	case json.Number:
		return []any{json.Number(neighbour(v.String()))}
	case string:
		switch v {
		case "true":
			return []any{"false"}
		case "false":
			return []any{"true"}
		}
		return []any{neighbour(v)}
	}
	return []any{"zq", "1900000000", json.Number("1900000000"), true}
}

// neighbour changes the last digit of a text, or its last letter, or adds one.
func neighbour(text string) string {
	for _, class := range []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		if i := strings.LastIndexAny(text, class); i >= 0 {
			at := strings.IndexByte(class, text[i])
			other := class[len(class)-2]
			if at < len(class)-1 {
				other = class[at+1]
			}
			return text[:i] + string(other) + text[i+1:]
		}
	}
	return text + "z"
}

// repeats reports whether a leaf needs no member of its own: messaging_product always says
// "whatsapp", and an id in contacts which the item has too is compared with the item's, so that
// another one is reported as what contradicts it.
func (l leaf) repeats(all []leaf) bool {
	if l.name() == "messaging_product" {
		return l.get() == "whatsapp"
	}
	value, member, ok := strings.Cut(l.path, ".contacts[")
	if _, name, _ := strings.Cut(member, "]."); !ok ||
		!slices.Contains([]string{"wa_id", "user_id", "parent_user_id"}, name) {
		return false
	}
	return slices.ContainsFunc(all, func(o leaf) bool {
		return strings.HasPrefix(o.path, value+".") && !strings.HasPrefix(o.path, value+".contacts[") &&
			o.get() == l.get()
	})
}

// A sampleRow is a line in an index of the corpus.
type sampleRow struct {
	file      string
	published bool // Meta printed or sent it, if only in pieces
}

var (
	indexRow  = regexp.MustCompile("^\\| `([^`]+\\.json)` \\| ([^|]+) \\|")
	indexHead = regexp.MustCompile(`^\|( ?---|( \w+ )\|)`) // headings, and the table that explains the words
	madeUp    = regexp.MustCompile(`^(composed|synthetic)\b`)
	printed   = regexp.MustCompile(`^((Meta docs, |shape )?(value )?verbatim|repaired|captured|real capture|filled)\b`)
)

// indexRows returns the rows of a folder's index. One that is neither made up nor published is none
// that this test can read.
func indexRows(t *testing.T, folder string) []sampleRow {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(corpus(t), folder, "INDEX.md"))
	require.NoError(t, err)
	var rows []sampleRow
	for line := range strings.SplitSeq(string(index), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "|") || indexHead.MatchString(line) {
			continue
		}
		m := indexRow.FindStringSubmatch(line)
		require.NotNil(t, m, "%s/INDEX.md: what is %q?", folder, line)
		made, metas := madeUp.MatchString(m[2]), printed.MatchString(m[2])
		require.NotEqual(t, made, metas, "%s/INDEX.md: who wrote %q?", folder, line)
		rows = append(rows, sampleRow{path.Join(folder, m[1]), metas})
	}
	return rows
}
