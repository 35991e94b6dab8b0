package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// bodies returns all samples, and the conformance corpus where COEXISTENCE_PAYLOADS names it.
func bodies(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, s := range webhooktest.Samples() {
		all[s.Field+"/"+s.Case] = webhooktest.Sample(s.Field, s.Case)
	}
	for _, dir := range filepath.SplitList(os.Getenv("COEXISTENCE_PAYLOADS")) {
		for _, pattern := range []string{"*.json", "*/*.json"} {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			require.NoError(t, err)
			for _, path := range paths {
				body, err := os.ReadFile(path)
				require.NoError(t, err)
				if json.Valid(body) && bytes.Contains(body, []byte(`"entry"`)) {
					all[path] = body
				}
			}
		}
	}
	return all
}

// personal are members that never keep what they say. What is long in digits, has a space or is
// not ASCII does not either, wherever it stands.
var personal = strings.Fields(`from to wa_id id input phone phone_number phone_number_id display_phone_number name
	first_name last_name middle_name formatted_name full_name username body caption text filename email user_id
	from_user_id to_user_id parent_user_id recipient_id recipient_user_id message_id group_id address street city zip
	url link vcard company department birthday latitude longitude biz_opaque_callback_data payload response_json sha256
	metadata details sdp waba_id owner_business_id entity_id ctwa_clid callback_data verified_name answer`)

var timeMember = regexp.MustCompile(`(time|timestamp|expiration|date)$`)

// leaves lists the texts and numbers of a body with their members, in order.
func leaves(t *testing.T, body []byte) (list [][2]string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var walk func(name string)
	walk = func(name string) {
		token, err := dec.Token()
		require.NoError(t, err)
		switch v := token.(type) {
		case json.Delim:
			for dec.More() {
				if v == '{' {
					member, err := dec.Token()
					require.NoError(t, err)
					name = member.(string)
				}
				walk(name)
			}
			_, err := dec.Token()
			require.NoError(t, err)
		default:
			list = append(list, [2]string{name, fmt.Sprint(v)})
		}
	}
	walk("")
	return list
}

// isPersonal says what must not be left, by looking at the original alone.
func isPersonal(name, s string) bool {
	long := 0
	for _, r := range s {
		if r > unicode.MaxASCII {
			return true
		}
		if unicode.IsDigit(r) {
			long++
		}
	}
	if name == "mime_type" || timeMember.MatchString(name) {
		return false
	}
	return s != "" && (long >= 7 || strings.Contains(s, " ") || slices.Contains(personal, name) && len(s) > 1)
}

func TestNothingPersonalIsLeft(t *testing.T) {
	t.Parallel()
	looked := 0
	for name, body := range bodies(t) {
		made, err := newDisguise().body(body)
		require.NoError(t, err, name)
		before, after := leaves(t, body), leaves(t, made)
		require.Len(t, after, len(before), name)
		for i, leaf := range before {
			require.Equal(t, countRunes(leaf[0]), countRunes(after[i][0]), "%s: the names of members stay", name)
			if !isPersonal(leaf[0], leaf[1]) || leaf[1] == "👍" || strings.HasPrefix(leaf[1], "<") {
				continue
			}
			looked++
			require.NotEqual(t, leaf[1], after[i][1], "%s: %s", name, leaf[0])
			if len(leaf[1]) < 6 {
				continue
			}
			for _, other := range after {
				require.NotContains(t, other[1], leaf[1], "%s: %s is in %s", name, leaf[0], other[0])
			}
		}
	}
	require.Greater(t, looked, 1000)
}

func countRunes(s string) int { return len([]rune(s)) }

// about is what a handler goes by.
type about struct {
	kind, field, content string
	at                   time.Time
}

// look returns what the events of a body are, and whom each is about.
func look(t *testing.T, body []byte) (events []about, who []string) {
	t.Helper()
	list, err := webhook.Decode(body)
	require.NoError(t, err)
	for _, ev := range list {
		info := ev.Info()
		a := about{kind: fmt.Sprintf("%T", ev), field: string(info.Field), at: info.At}
		switch ev := ev.(type) {
		case *webhook.IncomingMessage:
			a.content = fmt.Sprintf("%T %s", ev.Content, ev.Content.MessageType())
		case *webhook.MessageStatus:
			a.content = string(ev.Status)
			for _, e := range ev.Errors {
				a.content += fmt.Sprint(" ", int(e.Code))
			}
		case *webhook.AccountUpdate:
			a.content = string(ev.Event)
		}
		events = append(events, a)
		key := string(info.PhoneNumberID)
		if c, ok := ev.(interface{ Customer() graph.Identity }); ok {
			key += " " + c.Customer().Key()
		}
		who = append(who, key)
	}
	return events, who
}

// A handler sees the same events, and as many people, each with what was theirs.
func TestTheShapeStays(t *testing.T) {
	t.Parallel()
	d := newDisguise()
	madeOf, of := map[string]string{}, map[string]string{}
	for name, body := range bodies(t) {
		made, err := d.body(body)
		require.NoError(t, err)
		before, whoBefore := look(t, body)
		after, whoAfter := look(t, made)
		require.Equal(t, before, after, name)
		for i, who := range whoBefore {
			if len(who) < 12 {
				continue // a placeholder of a page
			}
			if known, ok := madeOf[who]; ok {
				require.Equal(t, known, whoAfter[i], "%s: one person became two", name)
			}
			if known, ok := of[whoAfter[i]]; ok {
				require.Equal(t, graph.EquivalenceKey(known), graph.EquivalenceKey(who), "%s: two became one", name)
			}
			madeOf[who], of[whoAfter[i]] = whoAfter[i], who
		}
	}
	require.Greater(t, len(madeOf), 5, "even without the corpora there are people")
}

func TestWhatIsTheSameStaysTheSame(t *testing.T) {
	t.Parallel()
	d := newDisguise()
	require.Equal(t, d.text("from", "15550100142", false), d.text("wa_id", "15550100142", false))
	require.Equal(t, "+"+d.text("from", "15550100142", false), d.text("phone", "+1 (555) 010-0142", false))
	require.Equal(t, d.text("from", "5521987654321", false), d.text("wa_id", "552187654321", false))
	require.NotEqual(t, d.text("from", "15550100142", false), d.text("from", "15550100143", false))
	require.Equal(t, d.text("id", "wamid.A", false), d.text("message_id", "wamid.A", false))
	require.NotEqual(t, d.text("id", "wamid.A", false), d.text("id", "wamid.B", false))
	require.Equal(t, d.text("id", "300000000000001", false), d.number("phone_number_id", "300000000000001"))
	again := d.text("body", "Are you open?", false)
	require.Equal(t, again, d.text("body", "Are you open?", false))
	require.Len(t, d.text("body", "Are you open?", false), len("Are you open?"))
	require.Equal(t, "text", d.text("type", "text", false))
	require.NotEqual(t, "Mama", d.text("type", "Mama", true), "the label of a number in an address book")
	var form map[string]string
	require.NoError(t, json.Unmarshal([]byte(d.text("response_json", `{"status":"married","a":"15550100142"}`, false)),
		&form))
	require.NotEqual(t, "married", form["status"])
	require.Equal(t, d.text("from", "15550100142", false), form["a"])
}

// Recording through the endpoint and playing gives a handler what it would have got.
func TestARecordingIsPlayed(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	endpoint, err := webhook.NewEndpoint(
		webhook.Config{AppSecret: "made-up-secret", VerifyToken: "made-up"}, newRecorder(&file))
	require.NoError(t, err)
	for _, body := range [][]byte{
		webhooktest.Sample("messages", "text"), webhooktest.Sample("messages", "status-read"),
		webhooktest.Sample("messages", "text"), []byte("no JSON"),
	} {
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, webhooktest.NewRequest(body, "made-up-secret"))
		require.Equal(t, http.StatusOK, w.Code)
	}
	require.Equal(t, 3, strings.Count(file.String(), "\n"))
	recorder := new(webhooktest.Recorder)
	require.NoError(t, play(t.Context(), bytes.NewReader(file.Bytes()), recorder))
	events := recorder.Events()
	require.Len(t, events, 2, "a repeat is a repeat in disguise, too")
	message, status := events[0].(*webhook.IncomingMessage), events[1].(*webhook.MessageStatus)
	require.Equal(t, message.PhoneNumberID, status.PhoneNumberID)
	require.False(t, message.ReceivedAt.IsZero())

	broken := new(webhooktest.Recorder)
	broken.Fail(io.ErrClosedPipe)
	err = play(t.Context(), bytes.NewReader(file.Bytes()), broken)
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.ErrorContains(t, err, "line 2")
	require.ErrorContains(t, play(t.Context(), strings.NewReader("\n{}\n"), recorder), "line 2 is not")
}

func TestTheProgramRecordsAndPlays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deliveries.jsonl")
	t.Setenv("APP_SECRET", "made-up-secret")
	t.Setenv("VERIFY_TOKEN", "made-up")
	t.Setenv("ADDR", "localhost:0")
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, run(ended, []string{"record", path}, io.Discard))
	require.ErrorIs(t, run(ended, []string{"record", path}, io.Discard), os.ErrExist)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	body := webhooktest.Sample("messages", "text")
	require.NoError(t, newRecorder(file).Receive(t.Context(), webhook.Delivery{Body: body, ReceivedAt: time.Now()}))
	require.NoError(t, file.Close())
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"play", path}, &out))
	require.Contains(t, out.String(), "*webhook.IncomingMessage")
	require.ErrorContains(t, run(t.Context(), nil, &out), "usage")
	require.ErrorContains(t, run(t.Context(), []string{"stop", path}, &out), "stop")
}

func FuzzDisguise(f *testing.F) {
	for _, s := range webhooktest.Samples() {
		f.Add(webhooktest.Sample(s.Field, s.Case))
	}
	f.Add([]byte(`{"15550100142":[1e9,-15550100142,{"a":"[{\"b\":\"15550100142\"}]"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		made, err := newDisguise().body(body)
		if err != nil {
			require.False(t, json.Valid(body))
			return
		}
		require.True(t, json.Valid(made), "%s", made)
		require.Len(t, leaves(t, made), len(leaves(t, body)))
	})
}

func FuzzPlay(f *testing.F) {
	f.Add([]byte(`{"received_at":"2026-01-01T10:00:00Z","body":{"object":"page"}}` + "\n\n" + `{"body":null}`))
	f.Add([]byte(`{"body":1}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := play(t.Context(), bytes.NewReader(file), new(webhooktest.Recorder)); err != nil {
			require.ErrorContains(t, err, "line ")
		}
	})
}
