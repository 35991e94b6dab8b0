package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// corpus returns the folder of conformance bodies, or skips the test.
func corpus(t *testing.T) string {
	t.Helper()
	dir := payloads.Folder("webhooks")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder with the conformance bodies")
	}
	return dir
}

// corpusFiles returns the webhook bodies of the corpus, by their path in it.
func corpusFiles(t *testing.T) map[string][]byte {
	t.Helper()
	dir := corpus(t)
	files := make(map[string][]byte)
	for _, pattern := range []string{"coexistence/*.json", "signup/webhook.*.json", "webhooks/*.json"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, paths, pattern)
		for _, path := range paths {
			if strings.HasPrefix(filepath.Base(path), "_") {
				continue
			}
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			name, err := filepath.Rel(dir, path)
			require.NoError(t, err)
			files[filepath.ToSlash(name)] = body
		}
	}
	return files
}

// published returns the files whose bodies Meta printed or sent, by the origins that the indexes of
// the corpus give. Each file has to have a row.
func published(t *testing.T, files map[string][]byte) map[string]bool {
	t.Helper()
	strict, rows := make(map[string]bool), make(map[string]bool)
	for _, folder := range []string{"coexistence", "signup", "webhooks"} {
		n := 0
		for _, row := range indexRows(t, folder) {
			rows[row.file] = true
			if _, isBody := files[row.file]; isBody && row.published {
				strict[row.file] = true
				n++
			}
		}
		require.Positive(t, n, "no published body in %s", folder)
		t.Logf("%s: %d published bodies", folder, n)
	}
	for name := range files {
		require.True(t, rows[name], "%s is in no index", name)
	}
	return strict
}

func TestCorpusIsDecodedWithoutLoss(t *testing.T) {
	t.Parallel()
	files := corpusFiles(t)
	strict := published(t, files)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	totals, published := map[string]int{}, map[string]share{}
	for _, name := range names {
		report, err := checkLossless(files[name], webhook.Decode)
		require.NoError(t, err, name)
		t.Logf("%-75s %s", name, report)
		totals["files"]++
		totals["leaves"] += report.leaves
		totals["left raw"] += len(report.untyped)
		for _, kind := range report.kinds {
			totals[kind]++
		}
		require.Empty(t, report.lost, name)
		if !strict[name] {
			continue
		}
		totals["published files"]++
		for field, s := range report.fields {
			published[field] = published[field].plus(s)
		}
		slices.Sort(report.untyped)
		if untyped := slices.DeleteFunc(report.untyped, misprinted(name)); len(untyped) > 0 {
			t.Errorf("%s is Meta's own, and everything in it wants a type: %v", name, untyped)
		}
	}
	require.Len(t, strict, totals["published files"])
	t.Log(totals)
	for _, field := range slices.Sorted(maps.Keys(published)) {
		s := published[field]
		t.Logf("%-40s %4d of %4d leaves in typed members, %5.1f %%", field, s.typed, s.leaves,
			100*float64(s.typed)/float64(s.leaves))
	}
}

// misprinted reports leaves that [misprints] lists.
func misprinted(name string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(misprints[name], func(end string) bool { return strings.HasSuffix(path, end) })
	}
}

// misprints lists scalars of Meta's own samples that contradict the sample around them, by the ends
// of their paths. They stay reachable as raw bytes.
var misprints = map[string][]string{
	// "uUS.…" in the contact, "US.…" in the message of the same person.
	"webhooks/messages-text-bsuid-no-phone-early-2026.json": {".value.contacts[0].user_id"},
	// The recipient's number once more, with a plus.
	"webhooks/messages-status-failed-legacy-receiver-incapable.json": {".message.recipient_id"},
	// Placeholders where numbers belong.
	"webhooks/group_settings_update-all-failed-string-codes.json": {".errors[0].code", ".groups[0].timestamp"},
}

// A share is how many scalars have a typed member.
type share struct{ leaves, typed int }

func (s share) plus(o share) share { return share{s.leaves + o.leaves, s.typed + o.typed} }

// TestLossIsNoticed makes sure that the check above is able to fail.
func TestLossIsNoticed(t *testing.T) {
	t.Parallel()
	body := []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{
		"metadata":{"phone_number_id":"2"},"contacts":[{"profile":{"name":"N"},"wa_id":"15550100001"}],
		"messages":[{"from":"15550100001","id":"wamid.1","timestamp":"1767225600","type":"audio","audio":{"id":"7",
		"voice":true},"new":5}]}}]}]}`)
	report, err := checkLossless(body, webhook.Decode)
	require.NoError(t, err)
	require.Empty(t, report.lost)
	require.Len(t, report.untyped, 1)

	lossy := map[string]func(*webhook.IncomingMessage){
		"a name":            func(m *webhook.IncomingMessage) { m.ProfileName = "" },
		"a time":            func(m *webhook.IncomingMessage) { m.At = time.Time{} },
		"a media id":        func(m *webhook.IncomingMessage) { m.Content.(*webhook.Audio).ID = "" },
		"a bool":            func(m *webhook.IncomingMessage) { m.Content.(*webhook.Audio).Voice = true },
		"an unknown member": func(m *webhook.IncomingMessage) { m.EventInfo.Unknown = nil },
	}
	check := func(change func(*webhook.IncomingMessage)) lossReport {
		report, err := checkLossless(body, func(body []byte) ([]webhook.Event, error) {
			events, err := webhook.Decode(body)
			for _, ev := range events {
				if m, ok := ev.(*webhook.IncomingMessage); ok {
					if _, isAudio := m.Content.(*webhook.Audio); isAudio {
						change(m)
					}
				}
			}
			return events, err
		})
		require.NoError(t, err)
		return report
	}
	for name, lose := range lossy {
		require.NotEmpty(t, check(lose).lost, name)
	}

	report = check(func(m *webhook.IncomingMessage) {
		audio := m.Content.(*webhook.Audio)
		value, err := json.Marshal([]any{audio.Voice, m.ID})
		require.NoError(t, err)
		m.Unknown = append(m.Unknown, webhook.UnknownMember{Path: "moved", Value: value})
		audio.Voice, m.ID = false, "wamid.1" // which is what the body says
	})
	require.Empty(t, report.lost, "what only moves to the unknown members is not lost")
	slices.Sort(report.untyped)
	const message = "[0].entry[0].changes[0].value.messages[0]."
	require.Equal(t, []string{message + "audio.voice", message + "id", message + "new"}, report.untyped)
}

// A lossReport says what became of one body.
type lossReport struct {
	kinds   []string
	leaves  int // scalars in the values of changes
	fields  map[string]share
	untyped []string // paths of those that are reachable as raw bytes only
	lost    []string // paths of those that are not reachable at all
}

func (r lossReport) String() string {
	s := fmt.Sprintf("%v leaves=%d", r.kinds, r.leaves)
	if len(r.untyped) > 0 {
		s += fmt.Sprintf(" raw=%v", r.untyped)
	}
	return s
}

// checkLossless compares each scalar in the body with what is decoded from it, and then changes
// each in turn: a scalar that is read must show in the result.
func checkLossless(body []byte, decode func([]byte) ([]webhook.Event, error)) (lossReport, error) {
	var r lossReport
	events, err := decode(body)
	if err != nil {
		return r, err
	}
	for _, ev := range events {
		r.kinds = append(r.kinds, strings.TrimPrefix(fmt.Sprintf("%T", ev), "*webhook."))
	}
	typed, raw := scalars(events)
	tree, err := parseTree(body)
	if err != nil {
		return r, err
	}
	before, members := fingerprint(events), typedMembers(events)
	r.fields = make(map[string]share)
	leaves := changeLeaves(tree)
	for n, leaf := range leaves {
		r.leaves++
		value := leaf.get()
		// its Go type says so
		unavailable := leaf.name() == "type" && value == "unsupported" && slices.Contains(r.kinds, "UnavailableMessage")
		if product := leaf.name() == "messaging_product" && value == "whatsapp"; !isZeroLeaf(value) && !product &&
			!unavailable &&
			!found(typed, value) && !found(raw, value) {
			r.lost = append(r.lost, leaf.path)
		}
		s := share{leaves: 1}
		if isTyped, err := hasType(tree, leaf, members, decode); err != nil {
			return r, err
		} else if isTyped || unavailable || leaf.repeats(leaves) {
			s.typed = 1
		} else {
			r.untyped = append(r.untyped, leaf.path)
		}
		r.fields[leaf.field] = r.fields[leaf.field].plus(s)
		if len(r.lost) > 0 {
			continue
		}
		other := perturb(value, n)
		leaf.set(other)
		changed, err := json.Marshal(tree)
		leaf.set(value)
		if err != nil {
			return r, err
		}
		events, err := decode(changed)
		if err != nil {
			return r, err
		}
		typed, raw := scalars(events)
		if _, isBool := other.(bool); isBool && slices.Equal(before, fingerprint(events)) {
			r.lost = append(r.lost, leaf.path+" (flipped)")
		} else if !isBool && !found(typed, other) && !found(raw, other) {
			r.lost = append(r.lost, fmt.Sprintf("%s (as %v)", leaf.path, other))
		}
	}
	return r, nil
}

// A leaf is a place in a tree that holds a scalar.
type leaf struct {
	field string // the label of the change
	path  string
	get   func() any
	set   func(any)
}

func (l leaf) name() string {
	name := l.path[strings.LastIndexByte(l.path, '.')+1:]
	return name
}

func parseTree(body []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree any
	err := dec.Decode(&tree)
	return tree, err
}

// changeLeaves returns the scalars inside the values of changes.
func changeLeaves(tree any) []leaf {
	var all []leaf
	envelopes, ok := tree.([]any)
	if !ok {
		envelopes = []any{tree}
	}
	change := func(c map[string]any, label any, path string) {
		if label == nil {
			label = c["field"]
		}
		value, ok := c["value"].(map[string]any)
		if ok && value["field"] != nil {
			label = value["field"]
		}
		from := len(all)
		if ok {
			all = appendLeaves(all, value, path+".value")
		}
		for i := range all[from:] {
			all[from+i].field = fmt.Sprint(label)
		}
	}
	for i, e := range envelopes {
		envelope, ok := e.(map[string]any)
		if !ok {
			continue
		}
		if object, ok := envelope["object"].(string); ok && object != "whatsapp_business_account" {
			continue
		}
		change(envelope, nil, fmt.Sprintf("[%d]", i))
		entries, _ := envelope["entry"].([]any)
		for j, e := range entries {
			entry, _ := e.(map[string]any)
			changes, _ := entry["changes"].([]any)
			for k, c := range changes {
				if c, ok := c.(map[string]any); ok {
					change(c, entry["field"], fmt.Sprintf("[%d].entry[%d].changes[%d]", i, j, k))
				}
			}
		}
	}
	return all
}

func appendLeaves(all []leaf, node any, path string) []leaf {
	switch node := node.(type) {
	case map[string]any:
		for name, child := range node {
			path := path + "." + name
			switch child.(type) {
			case map[string]any, []any:
				all = appendLeaves(all, child, path)
			default:
				if name == "field" || name == "object" { // labels that Meta misplaced
					continue
				}
				all = append(all, leaf{"", path, func() any { return node[name] }, func(v any) { node[name] = v }})
			}
		}
	case []any:
		for i, child := range node {
			path := fmt.Sprintf("%s[%d]", path, i)
			switch child.(type) {
			case map[string]any, []any:
				all = appendLeaves(all, child, path)
			default:
				all = append(all, leaf{"", path, func() any { return node[i] }, func(v any) { node[i] = v }})
			}
		}
	}
	return all
}

func isZeroLeaf(v any) bool {
	switch v := v.(type) {
	case nil, bool:
		return true
	case string:
		return v == "" || v == "0"
	case json.Number:
		f, err := v.Float64()
		return err == nil && f == 0
	}
	return false
}

// perturb returns another scalar of the same kind that occurs nowhere else.
func perturb(v any, n int) any {
	switch v := v.(type) {
	case bool:
		return !v
	case json.Number:
		return json.Number(strconv.Itoa(1900000000 + n))
	case string:
		if v != "" && strings.Trim(v, "0123456789") == "" {
			return strconv.Itoa(1900000000 + n)
		}
	}
	return "zq" + strconv.Itoa(n)
}

// found reports whether a scalar is in the set, in any of its forms.
func found(set map[string]bool, v any) bool {
	return slices.ContainsFunc(forms(v), func(form string) bool { return set[form] })
}

// forms returns what decoding can make of a scalar.
func forms(v any) []string {
	text := fmt.Sprint(v)
	forms := []string{text, strings.TrimPrefix(text, "@"), strings.ToUpper(text), strings.ToLower(text)}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		forms = append(forms, strconv.FormatFloat(f, 'g', -1, 64))
	}
	if at := graph.ParseTimestamp(text); !at.IsZero() {
		forms = append(forms, strconv.FormatInt(at.Unix(), 10))
	}
	return forms
}

// scalars returns all scalars in typed members of the events, and all in their raw parts: unknown
// members, content of unknown types, and events that are raw as a whole.
func scalars(events []webhook.Event) (typed, raw map[string]bool) {
	typed, raw = map[string]bool{}, map[string]bool{}
	for _, ev := range events {
		walk(reflect.ValueOf(ev), typed, raw)
		switch ev := ev.(type) {
		case *webhook.HistoryChunk:
			walk(reflect.ValueOf(ev.Threads()), typed, raw)
			for _, m := range ev.Messages() {
				if m.Err != nil {
					rawScalars(m.Raw, raw)
				}
			}
		case *webhook.UnknownEvent:
			rawScalars(ev.Raw, raw)
		case *webhook.UndecodableEvent:
			rawScalars(ev.Raw, raw)
		}
	}
	return typed, raw
}

func fingerprint(events []webhook.Event) []string {
	var lines []string
	for _, ev := range events {
		lines = append(lines, describe(reflect.ValueOf(ev)))
		switch ev := ev.(type) {
		case *webhook.HistoryChunk:
			lines = append(lines, describe(reflect.ValueOf(ev.Threads())))
		case *webhook.UnknownEvent, *webhook.UndecodableEvent:
			lines = append(lines, string(ev.Info().Raw))
		}
	}
	return lines
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	memberType  = reflect.TypeFor[webhook.UnknownMember]()
	bytesType   = reflect.TypeFor[[]byte]()
	skipMembers = []string{"Raw", "DedupKey"}
)

func walk(v reflect.Value, typed, raw map[string]bool) {
	switch v.Type() {
	case timeType:
		if at := v.Interface().(time.Time); !at.IsZero() {
			typed[strconv.FormatInt(at.Unix(), 10)] = true
		}
		return
	case rawType:
		rawScalars(v.Bytes(), raw)
		return
	case memberType:
		rawScalars(v.Interface().(webhook.UnknownMember).Value, raw)
		return
	case bytesType:
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), typed, raw)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && (!slices.Contains(skipMembers, f.Name) || f.Type == rawType) {
				walk(v.Field(i), typed, raw)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), typed, raw)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			walk(it.Value(), typed, raw)
		}
	case reflect.String:
		typed[v.String()] = true
	case reflect.Int, reflect.Int64:
		typed[strconv.FormatInt(v.Int(), 10)] = true
	case reflect.Float64:
		typed[strconv.FormatFloat(v.Float(), 'g', -1, 64)] = true
	}
}

// describe prints everything but the raw bytes, so that two results can be compared.
func describe(v reflect.Value) string {
	switch v.Type() {
	case timeType:
		return v.Interface().(time.Time).String()
	case memberType:
		m := v.Interface().(webhook.UnknownMember)
		return m.Path + "=" + string(m.Value)
	}
	var b strings.Builder
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return describe(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && (!slices.Contains(skipMembers, f.Name) || f.Type == rawType) {
				fmt.Fprintf(&b, "%s:%s;", f.Name, describe(v.Field(i)))
			}
		}
		return "{" + b.String() + "}"
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes())
		}
		for i := range v.Len() {
			b.WriteString(describe(v.Index(i)) + ",")
		}
		return "[" + b.String() + "]"
	}
	return fmt.Sprint(v.Interface())
}

func rawScalars(raw []byte, set map[string]bool) {
	tree, err := parseTree(raw)
	if err != nil {
		set[string(raw)] = true
		return
	}
	for _, l := range appendLeaves(nil, []any{tree}, "") {
		set[fmt.Sprint(l.get())] = true
	}
}
