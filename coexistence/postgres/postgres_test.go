package postgres_test

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
)

// database returns the URL of an empty schema of its own, which is dropped at the end.
func database(t testing.TB) string {
	t.Helper()
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	url, drop, err := pgtest.Schema(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
	return url
}

// A store is that of a database.
type store struct {
	storage.Store
	*postgres.DB
}

func open(t testing.TB, url string) store {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.Small(url)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	return store{db.Store(), db}
}

func TestADatabaseKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	store := open(t, database(t))
	require.NoError(t, coexistencetest.TestStore(t.Context(),
		func(context.Context) (coexistence.Store, error) { return store.Store, nil }))
}

func TestNothingIsLeftInAnyTableOfWhatWasForgotten(t *testing.T) {
	t.Parallel()
	store := open(t, database(t))
	require.NoError(t, storetest.Forgetting(t.Context(), store.Store, store.SQL(),
		"SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"))
}

// A pooler that knows no prepared statements, and a host whose transactions are stricter than
// usual.
func TestOtherSettingsOfTheConnectionWorkAsWell(t *testing.T) {
	t.Parallel()
	for _, setting := range [][2]string{
		{"default_query_exec_mode", "exec"}, {"default_query_exec_mode", "simple_protocol"},
		{"default_transaction_isolation", "repeatable read"}, {"default_transaction_isolation", "serializable"},
	} {
		t.Run(setting[1], func(t *testing.T) {
			t.Parallel()
			store := open(t, pgtest.With(database(t), setting[0], setting[1]))
			require.NoError(t, coexistencetest.TestStore(t.Context(),
				func(context.Context) (coexistence.Store, error) { return store.Store, nil }))
		})
	}
}

func TestConcurrentStoresEndInTheStateOfOne(t *testing.T) {
	t.Parallel()
	for range 2 {
		seed := mathrand.Uint64()
		events, err := storetest.Events(seed, 120)
		require.NoError(t, err)
		want, err := storetest.Expected(t.Context(), events)
		require.NoError(t, err)
		url := database(t)
		a, b := open(t, url), open(t, url)
		require.NoError(t, storetest.HandleConcurrently(t.Context(), seed, events, a, b), "seed %d", seed)
		require.NoError(t, storetest.Differs(t.Context(), a, want), "seed %d", seed)
		require.NoError(t, storetest.Differs(t.Context(), b, want), "seed %d", seed)
	}
}

// In the child, these name the database and the events.
const (
	childURL  = "COEXISTENCE_TEST_CHILD_URL"
	childSeed = "COEXISTENCE_TEST_CHILD_SEED"
	events    = 150
)

// Two processes open an empty database at once, make its tables, and handle the same events in two
// orders.
func TestTwoProcessesEndInTheStateOfOne(t *testing.T) {
	t.Parallel()
	seed := mathrand.Uint64()
	list, err := storetest.Events(seed, events)
	require.NoError(t, err)
	want, err := storetest.Expected(t.Context(), list)
	require.NoError(t, err)
	url := database(t)
	self, err := os.Executable()
	require.NoError(t, err)
	var wg sync.WaitGroup
	var out [2][]byte
	var errs [2]error
	for i := range out {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestMain$")
			cmd.Env = append(os.Environ(), childURL+"="+url, childSeed+"="+strconv.FormatUint(seed, 10),
				"ORDER="+strconv.Itoa(i))
			out[i], errs[i] = cmd.CombinedOutput()
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs[:]...), "seed %d: %s %s", seed, out[0], out[1])
	require.NotEmpty(t, want.Conversations)
	require.NoError(t, storetest.Differs(t.Context(), open(t, url), want), "seed %d", seed)
}

// TestMain is where a child process begins.
func TestMain(m *testing.M) {
	url, opens := os.Getenv(childURL), os.Getenv(childOpens)
	var err error
	switch {
	case opens != "":
		var db *postgres.DB
		if db, err = postgres.Open(context.Background(), postgres.Config{URL: opens}); err == nil {
			err = db.Close()
		}
	case url != "":
		err = child(context.Background(), url)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

func child(ctx context.Context, url string) error {
	seed, err1 := strconv.ParseUint(os.Getenv(childSeed), 10, 64)
	order, err2 := strconv.ParseUint(os.Getenv("ORDER"), 10, 64)
	list, err3 := storetest.Events(seed, events)
	db, err4 := postgres.Open(ctx, postgres.Config{URL: pgtest.Small(url)})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	return errors.Join(storetest.HandleConcurrently(ctx, seed+order, list, db.Store()), db.Close())
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	list, err := storetest.Events(1, 200)
	require.NoError(t, err)
	chunk, err := storetest.Chunk(0, 350)
	require.NoError(t, err)
	list = append(list, chunk...)
	want, err := storetest.Expected(t.Context(), list)
	require.NoError(t, err)
	url := database(t)
	for i := range 4 { // a restart in the middle of the events, three times
		store := open(t, url)
		require.NoError(t, storetest.Handle(t.Context(), store, list[i*len(list)/4:(i+1)*len(list)/4]))
		require.NoError(t, store.Close())
	}
	require.NoError(t, storetest.Differs(t.Context(), open(t, url), want))
}

func TestManyMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := database(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			store, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.Small(url)})
			if errs[i] = err; err == nil {
				errs[i] = store.Close()
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

// A chunk of 3,000 new messages in thirty conversations goes through the tracker, and then a repeat
// of it.
func BenchmarkHistoryChunk(b *testing.B) {
	for name, open := range map[string]func(*testing.B) coexistence.Store{
		"postgres": func(b *testing.B) coexistence.Store { return open(b, database(b)).Store },
	} {
		b.Run(name+"/new", func(b *testing.B) { benchmarkChunk(b, open(b), 3000) })
		b.Run(name+"/repeat", func(b *testing.B) { benchmarkChunk(b, open(b), 0) })
	}
}

// benchmarkChunk stores a chunk again and again, whose ids go on by step.
func benchmarkChunk(b *testing.B, store coexistence.Store, step int) {
	first := 0
	for b.Loop() {
		b.StopTimer()
		events, err := storetest.Chunk(first, 3000)
		require.NoError(b, err)
		b.StartTimer()
		require.NoError(b, storetest.Handle(b.Context(), store, events))
		first += step
	}
	b.ReportMetric(float64(b.N)*3000/b.Elapsed().Seconds(), "messages/s")
}

// A process that stops in the middle of a transaction, or whose machine is gone, does not keep the
// others from what it has locked.
func TestAProcessThatStopsWithinATransactionBlocksNoOther(t *testing.T) {
	t.Parallel()
	url := database(t)
	stopped, other := open(t, url), open(t, url)
	ids := []graph.MessageID{"wamid.1"}
	say := func(text string) func(*coexistence.Message) {
		return func(m *coexistence.Message) { m.Text, m.Person = text, "15550100101" }
	}
	require.NoError(t, other.UpdateMessages(t.Context(), storetest.Phone, ids, say("before")))
	locked, goOn, ended := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		var once sync.Once
		ended <- stopped.UpdateMessages(t.Context(), storetest.Phone, ids, func(m *coexistence.Message) {
			once.Do(func() { close(locked) })
			<-goOn
			m.Text = "stopped"
		})
	}()
	<-locked
	require.NoError(t, other.UpdateMessages(t.Context(), storetest.Phone, ids, say("other")))
	close(goOn)
	require.Error(t, <-ended, "its transaction was ended")
	m, err := other.Message(t.Context(), storetest.Phone, "wamid.1")
	require.NoError(t, err)
	require.Equal(t, "other", m.Text)
}
