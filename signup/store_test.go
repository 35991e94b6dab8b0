package signup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup/signuptest"
)

func TestTheStoreInMemoryKeepsThePromises(t *testing.T) {
	t.Parallel()
	store := new(signup.MemStore)
	open := func(context.Context) (signup.Store, error) { return store, nil }
	require.NoError(t, signuptest.TestStore(t.Context(), open))
}

func TestTwoStoresThatDoNotShareAreFound(t *testing.T) {
	t.Parallel()
	open := func(context.Context) (signup.Store, error) { return new(signup.MemStore), nil }
	require.ErrorContains(t, signuptest.TestStore(t.Context(), open), "another store over the same data")
}

func newKey(t *testing.T) []byte {
	t.Helper()
	key := make([]byte, 32)
	_, err := rand.Read(key)
	require.NoError(t, err)
	return key
}

// keyring makes a Keyring, the newest key first.
func keyring(t *testing.T, keys ...[]byte) *signup.Keyring {
	t.Helper()
	k, err := signup.NewKeyring(keys...)
	require.NoError(t, err)
	return k
}

// encrypted is the ciphertext of "a token" of tenant-1.
func encrypted(t *testing.T, k *signup.Keyring) []byte {
	t.Helper()
	b, err := k.Encrypt([]byte("a token"), []byte("tenant-1"))
	require.NoError(t, err)
	return b
}

func TestAKeyringDecryptsWithAnyOfItsKeys(t *testing.T) {
	t.Parallel()
	old, young := newKey(t), newKey(t)
	ciphertext := encrypted(t, keyring(t, old))
	require.NotContains(t, string(ciphertext), "a token")
	got, err := keyring(t, young, old).Decrypt(ciphertext, []byte("tenant-1"))
	require.NoError(t, err)
	require.Equal(t, "a token", string(got))
}

func TestAKeyringEncryptsTheSameOtherwiseEachTime(t *testing.T) {
	t.Parallel()
	k := keyring(t, newKey(t))
	require.False(t, bytes.Equal(encrypted(t, k), encrypted(t, k)))
}

func TestAKeyIsReplacedByANewOneInFront(t *testing.T) {
	t.Parallel()
	old, young := newKey(t), newKey(t)
	before, after := keyring(t, old), keyring(t, young, old)
	ciphertext := encrypted(t, before)
	require.False(t, before.NeedsReencryption(ciphertext))
	require.True(t, after.NeedsReencryption(ciphertext))
	require.True(t, after.NeedsReencryption(nil))

	anew := encrypted(t, after)
	require.False(t, after.NeedsReencryption(anew))
	_, err := keyring(t, young).Decrypt(anew, []byte("tenant-1"))
	require.NoError(t, err, "the old key can be dropped")
}

func TestAKeyringDecryptsNothingElse(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	k := keyring(t, key)
	ciphertext := encrypted(t, k)
	last := len(ciphertext) - 1
	for name, tt := range map[string]struct {
		cipher     signup.Cipher
		ciphertext []byte
		data       string
	}{
		"another key":    {keyring(t, newKey(t)), ciphertext, "tenant-1"},
		"another record": {k, ciphertext, "tenant-2"},
		"changed":        {k, append(bytes.Clone(ciphertext[:last]), ciphertext[last]^1), "tenant-1"},
		"cut":            {k, ciphertext[:20], "tenant-1"},
		"empty":          {k, nil, "tenant-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.cipher.Decrypt(tt.ciphertext, []byte(tt.data))
			require.ErrorContains(t, err, "cannot be decrypted")
		})
	}
}

func TestAKeyringPrintsNoKey(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	k := keyring(t, key)
	beginning := strings.Trim(fmt.Sprintf("%d", key[:4]), "[]") // as %v prints bytes
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", k, k, k), beginning)
}

func TestAKeyHas32Bytes(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][][]byte{
		"none": nil, "three bytes": {{1, 2, 3}}, "the second one is short": {newKey(t), newKey(t)[:16]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := signup.NewKeyring(keys...)
			require.ErrorContains(t, err, "32")
		})
	}
}

// text64 is a key as openssl writes it, without the end of the line.
func text64(key []byte) string { return base64.StdEncoding.EncodeToString(key) }

func parseKeys(parts ...string) (*signup.Keyring, error) {
	return signup.ParseKeyring(graph.Secret(strings.Join(parts, ",")))
}

func TestKeysAreReadFromText(t *testing.T) {
	t.Parallel()
	old, young := newKey(t), newKey(t)
	before, err := parseKeys(text64(old) + "\n")
	require.NoError(t, err)
	both, err := parseKeys(text64(young), " "+text64(old))
	require.NoError(t, err)
	ciphertext := encrypted(t, before)
	got, err := both.Decrypt(ciphertext, []byte("tenant-1"))
	require.NoError(t, err)
	require.Equal(t, "a token", string(got))
	require.True(t, both.NeedsReencryption(ciphertext), "the first one is the newest")
}

func TestTextThatIsNoKeyIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	old, young := newKey(t), newKey(t)
	for name, tt := range map[string]struct {
		parts []string
		want  string
	}{
		"nothing":        {nil, "openssl rand -base64 32"},
		"white space":    {[]string{" \n"}, "openssl rand -base64 32"},
		"not base64":     {[]string{"a-secret-phrase-and-no-key"}, "key 1 is not"},
		"cut":            {[]string{text64(young), text64(old[:31])}, "key 2 is not"},
		"too long":       {[]string{text64(young), text64(append(bytes.Clone(old), 1))}, "key 2 is not"},
		"trailing comma": {[]string{text64(young), text64(old), ""}, "key 3 is not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseKeys(tt.parts...)
			require.ErrorContains(t, err, tt.want)
			for _, part := range tt.parts {
				if strings.TrimSpace(part) != "" {
					require.NotContains(t, err.Error(), part)
				}
			}
		})
	}
}

// A plug is an http.RoundTripper to the fake Meta without sockets, so that time can be played with.
type plug struct{ h http.Handler }

func (p plug) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the connection was cut")
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody // as a server has it
	}
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// A machine is the process that a flow runs in. From its death on nothing that it does has an
// effect.
type machine struct {
	signup.Store
	meta http.Handler
	left int  // how many more things it does before it dies
	late bool // the last one still has its effect
	dead bool
}

var errDead = errors.New("the process is dead")

// act does something unless the machine is dead; the last thing may have its effect and no answer.
func (m *machine) act(do func() error) error {
	if m.dead {
		return errDead
	}
	m.left--
	if m.left < 0 {
		m.dead = true
		if m.late {
			_ = do()
		}
		return errDead
	}
	return do()
}

func (m *machine) Put(ctx context.Context, r signup.Record) error {
	return m.act(func() error { return m.Store.Put(ctx, r) })
}

func (m *machine) Get(ctx context.Context, id string) (r signup.Record, err error) {
	err = m.act(func() error { r, err = m.Store.Get(ctx, id); return err })
	return r, err
}

func (m *machine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.act(func() error { m.meta.ServeHTTP(w, r); return nil }) != nil {
		panic(http.ErrAbortHandler)
	}
}

func onMachine(t *testing.T, m *machine, cipher signup.Cipher, change func(*signup.Config)) *signup.Flow {
	t.Helper()
	client, err := cloudapi.NewClient(cloudapi.Config{
		AppID: appID, AppSecret: appSecret, AccessToken: "canary-system-token", BaseURL: "https://meta.example",
		HTTPClient: &http.Client{Transport: plug{m}}, Retry: cloudapi.RetryPolicy{MaxAttempts: 1},
	})
	require.NoError(t, err)
	cfg := signup.Config{ConfigurationID: "900000000000001", Client: client, Store: m, Cipher: cipher}
	if change != nil {
		change(&cfg)
	}
	f, err := signup.NewFlow(cfg)
	require.NoError(t, err)
	return f
}

// The process dies at every store operation and every call, before or after it had its effect.
// Another one continues with what is stored: a code is never exchanged twice, and what was granted
// is not lost.
func TestADeathAtAnyPointIsSurvived(t *testing.T) {
	kinds := map[string]struct {
		meta   func() *meta
		change func(*signup.Config)
		once   []string // calls that must not have their effect twice
	}{
		"coexistence": {meta: happy},
		"with override and credit": {happy, func(c *signup.Config) {
			withOverride(c)
			withCredit(c)
		}, []string{attach}},
		"an ordinary number": {func() *meta {
			return newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
		}, ordinaryMode, []string{"POST /" + phoneA + "/register"}},
	}
	for name, kind := range kinds {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, late %v", name, late), func(t *testing.T) {
				for left := 0; ; left++ {
					if surviveDeath(t, kind.meta(), kind.change, kind.once, left, late) {
						require.Greater(t, left, 15, "the machine has to die often")
						return
					}
				}
			})
		}
	}
}

// surviveDeath reports whether the first machine came to the end alive.
func surviveDeath(t *testing.T, m *meta, change func(*signup.Config), once []string, left int, late bool) (alive bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, key := new(signup.MemStore), newKey(t)
		cipher, err := signup.NewKeyring(key)
		require.NoError(t, err)
		where := fmt.Sprintf("dies after %d, late %v", left, late)

		first := &machine{Store: store, meta: m, left: 1 << 30, late: late}
		f := onMachine(t, first, cipher, change)
		a, err := f.StartAttempt(t.Context(), owner)
		require.NoError(t, err)
		first.left = left
		sub := signup.Submission{State: a.State, Tenant: owner, Code: code}
		b, err := f.Finish(t.Context(), sub)
		if alive = !first.dead; alive {
			require.NoError(t, err, where)
			require.Equal(t, signup.OutcomeReady, b.Outcome)
			return
		}

		time.Sleep(6 * time.Minute) // the claim of the dead ends
		second := &machine{Store: store, meta: m, left: 1 << 30}
		var taken []*signup.Connection
		f = onMachine(t, second, cipher, func(c *signup.Config) {
			if change != nil {
				change(c)
			}
			c.Connected = func(_ context.Context, b *signup.Connection) error { taken = append(taken, b); return nil }
		})
		waiting, err := f.Attempts(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, waiting, 1)
		s := waiting[0]
		switch s.Phase {
		case signup.PhaseGranted:
			if left%2 == 0 {
				_, err = f.Resume(t.Context(), s.ID, "")
			} else {
				n, all := f.ResumeAll(t.Context())
				require.Equal(t, 1, n, where)
				err = all
			}
			require.NoError(t, err, where)
			require.Len(t, taken, 1)
			require.Equal(t, signup.OutcomeReady, taken[0].Outcome, where)
			require.Equal(t, graph.PhoneNumberID(phoneA), taken[0].Phone.ID)
			again, err := f.ResumeAll(t.Context())
			require.NoError(t, err, where)
			require.Zero(t, again, where)
		case signup.PhaseEnded:
			if s.Outcome == signup.OutcomeReady { // it died after its last word
				break
			}
			require.Equal(t, signup.OutcomeCodeLost, s.Outcome, where)
			before := m.did(exchange)
			_, err = f.Finish(t.Context(), sub) // the page tries again
			requireOutcome(t, signup.OutcomeCodeLost, err)
			require.Equal(t, before, m.did(exchange), where)
		default:
			require.Equal(t, signup.PhaseOpen, s.Phase, where)
			_, err = f.Finish(t.Context(), sub)
			require.NoError(t, err, where)
		}
		require.LessOrEqual(t, m.did(exchange), 1, where)
		for _, call := range once {
			require.LessOrEqual(t, m.did(call), 1, "%s: %s", where, call)
		}
		for _, r := range mustList(t, store) {
			requireNoCanary(t, "store", string(r.Ciphertext))
		}
	})
	return alive
}

func mustList(t *testing.T, s signup.Store) []signup.Record {
	t.Helper()
	records, err := s.List(t.Context(), "")
	require.NoError(t, err)
	return records
}

// A store that fails right after the exchange must not cost the grant, as long as the process
// lives.
func TestAStoreThatIsDownAfterTheExchange(t *testing.T) {
	t.Parallel()
	m := happy()
	cipher, err := signup.NewKeyring(newKey(t))
	require.NoError(t, err)
	s := &flaky{Store: new(signup.MemStore)}
	b := newBench(t, m, func(c *signup.Config) { c.Store, c.Cipher = s, cipher })
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code}
	m.seen = func(call string) {
		if call == exchange {
			s.down.Store(true)
		}
	}
	got, err := b.submit(t.Context(), sub)
	e := requireOutcome(t, signup.OutcomeUnavailable, err)
	require.Equal(t, signup.StepExchange, e.Step)
	require.Equal(t, graph.Secret(token), got.Token, "the caller has it too")

	s.down.Store(false)
	got, err = b.submit(t.Context(), sub)
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	require.Equal(t, 1, m.did(exchange))
}

type flaky struct {
	signup.Store
	down atomic.Bool
}

func (s *flaky) Put(ctx context.Context, r signup.Record) error {
	if s.down.Load() {
		return errors.New("store is down")
	}
	return s.Store.Put(ctx, r)
}

func TestAnotherProcessGoesOn(t *testing.T) {
	t.Parallel()
	cipher, err := signup.NewKeyring(newKey(t))
	require.NoError(t, err)
	store := new(signup.MemStore)
	m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, displayA), coexisting(phoneB, displayB)}})
	shared := func(c *signup.Config) { c.Store, c.Cipher = store, cipher }
	one, two := newBench(t, m, shared), newBench(t, m, shared)
	state := one.begin()

	_, err = two.submit(t.Context(), signup.Submission{
		State: state, Tenant: owner, Code: code, Session: session(t, finished(wabaA)),
	})
	requireOutcome(t, signup.OutcomeChooseNumber, err)
	s, err := one.Status(t.Context(), state, owner)
	require.NoError(t, err)
	require.Equal(t, signup.PhaseGranted, s.Phase)
	require.Equal(t, signup.OutcomeChooseNumber, s.Outcome)
	require.Equal(t, graph.WABAID(wabaA), s.Claimed)
	require.Len(t, s.Choices, 2)
	require.Equal(t, signup.StepDiscover, s.Step)
	_, err = one.Status(t.Context(), state, "tenant-2")
	requireOutcome(t, signup.OutcomeWrongTenant, err)

	got, err := one.submit(t.Context(), signup.Submission{State: state, Tenant: owner, PhoneNumberID: phoneB})
	require.NoError(t, err)
	require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID)
	require.Equal(t, signup.KindCoexistence, got.Session.Kind(), "what the popup said was kept")
	s, err = two.Status(t.Context(), state, owner)
	require.NoError(t, err)
	require.Equal(t, signup.PhaseEnded, s.Phase)
	require.Equal(t, signup.OutcomeReady, s.Outcome)
	require.Equal(t, "+1 555 010 0198", s.PhoneNumber)
	require.Equal(t, signup.StepReady, s.Step)
	_, err = one.Resume(t.Context(), s.ID, "")
	requireOutcome(t, signup.OutcomeStateUsed, err)

	for _, r := range mustList(t, store) {
		require.NotContains(t, r.ID, state.Reveal())
		require.NotContains(t, string(r.Ciphertext), "ready", "sealed")
		require.Equal(t, graph.PhoneNumberID(phoneB), r.PhoneNumberID, "by which it is forgotten")
	}
	require.NoError(t, one.Forget(t.Context(), phoneA))
	_, err = two.Status(t.Context(), state, owner)
	require.NoError(t, err)
	require.NoError(t, one.Forget(t.Context(), phoneB))
	_, err = two.Status(t.Context(), state, owner)
	requireOutcome(t, signup.OutcomeStateUnknown, err)
}

// What a store did not take is kept by the process, and has to go as well.
func TestAForgottenNumberIsNotKeptInMemory(t *testing.T) {
	t.Parallel()
	m, s := happy(), &flaky{Store: new(signup.MemStore)}
	b := newBench(t, m, func(c *signup.Config) { c.Store, c.Cipher = s, keyring(t, newKey(t)) })
	named := strings.Replace(finished(wabaA), `"waba_id"`, `"phone_number_id":"`+phoneA+`","waba_id"`, 1)
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code, Session: session(t, named)}
	m.seen = func(call string) {
		if call == exchange {
			s.down.Store(true)
		}
	}
	_, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeUnavailable, err)
	require.ErrorIs(t, b.Forget(t.Context(), phoneA), errors.ErrUnsupported, "flaky has no method Forget")
	s.down.Store(false)
	_, err = b.submit(t.Context(), sub)
	require.Error(t, err, "the token is gone")
	require.Equal(t, 1, m.did(exchange))
}

// A writer of the database cannot bring a used state back to life with what was stored before.
func TestAFormerCiphertextDoesNotDecrypt(t *testing.T) {
	t.Parallel()
	m, store := happy(), new(signup.MemStore)
	b := newBench(t, m, func(c *signup.Config) { c.Store = store })
	state := b.begin()
	former := mustList(t, store)[0]
	_, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	require.NoError(t, err)

	rec := mustList(t, store)[0]
	rec.Ciphertext = former.Ciphertext
	require.NoError(t, store.Put(t.Context(), rec))
	_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: "canary-code-of-another-popup"})
	requireOutcome(t, signup.OutcomeUnavailable, err)
}

func TestASessionIsKeptWhole(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"coexistence": finished(wabaA),
		"unknown": `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","version":"3","data":{
			"waba_ids":["1","2"],"waac_id":{"a":[1,2]},"page_ids":["5"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, happy())
			state := b.begin()
			_, err := b.submit(t.Context(), signup.Submission{
				State: state, Tenant: owner, Session: session(t, message),
			})
			requireOutcome(t, signup.OutcomeNoCode, err)
			got, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
			require.NoError(t, err)
			require.Equal(t, session(t, message), got.Session)
		})
	}
}

func TestAStoreNeedsACipher(t *testing.T) {
	t.Parallel()
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: appSecret})
	require.NoError(t, err)
	_, err = signup.NewFlow(signup.Config{
		ConfigurationID: "9", Client: client, Store: &flaky{Store: new(signup.MemStore)},
	})
	require.ErrorContains(t, err, "signup: Config.Cipher is nil")
}

func TestAFlowForCoexistenceTakesNoPIN(t *testing.T) {
	t.Parallel()
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: appSecret})
	require.NoError(t, err)
	_, err = signup.NewFlow(signup.Config{
		ConfigurationID: "9", Client: client,
		PIN: func(context.Context, *signup.Connection) (graph.Secret, error) { return "", nil },
	})
	require.ErrorContains(t, err, "signup: Config.PIN is for numbers that are registered")
}

func FuzzACipherOpensNothingElse(f *testing.F) {
	cipher, err := signup.NewKeyring(bytes.Repeat([]byte{7}, 32))
	require.NoError(f, err)
	// Encrypted once: what Encrypt returns differs from process to process, and a fuzz target runs
	// in several.
	ciphertext, err := hex.DecodeString(
		"ce4d04dc75f52bf605836e204e546a9a761455ca75484bca90703cc11221adb3d71a327b016574")
	require.NoError(f, err)
	opened, err := cipher.Decrypt(ciphertext, []byte("tenant-1"))
	require.NoError(f, err)
	require.Equal(f, "a token", string(opened))
	f.Add(ciphertext, []byte("tenant-1"))
	f.Add(ciphertext[:9], []byte("tenant-1"))
	f.Add(ciphertext, []byte("tenant-2"))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, b, data []byte) {
		got, err := cipher.Decrypt(b, data)
		if err == nil && (string(got) != "a token" || !bytes.Equal(b, ciphertext) || string(data) != "tenant-1") {
			t.Fatalf("opened %q", got)
		}
	})
}
