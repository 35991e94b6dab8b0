package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A meter notes the statements that are executed for a page.
type meter struct {
	mu         sync.Mutex
	statements []pgx.TraceQueryStartData
	prepared   map[string]string // SQL of a prepared statement by its name
}

type metered struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (m *meter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if ctx.Value(metered{}) != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.statements = append(m.statements, data)
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (m *meter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TracePrepareStart implements pgx.PrepareTracer.
func (m *meter) TracePrepareStart(ctx context.Context, _ *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prepared[data.Name] = data.SQL
	return ctx
}

// TracePrepareEnd implements pgx.PrepareTracer.
func (m *meter) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}

// A cost is what a page takes: statements, rows that the database reads for them, bytes of the
// page.
type cost struct{ statements, rows, bytes int }

// A plan is what PostgreSQL tells of a statement that it has executed.
type plan struct {
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Recheck  float64 `json:"Rows Removed by Index Recheck"`
	Relation string  `json:"Relation Name"`
	Plans    []plan
}

// read is how many rows were read from tables.
func (p plan) read() (rows float64) {
	if p.Relation != "" {
		rows = (p.Rows + p.Filtered + p.Recheck) * max(p.Loops, 1)
	}
	for _, part := range p.Plans {
		rows += part.read()
	}
	return rows
}

// measure requests a page, and has the statements of it executed once more, to count the rows.
func (m *meter) measure(t *testing.T, a *app, v *visitor, db *pgxpool.Pool, path string) (c cost) {
	t.Helper()
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), metered{}, true), http.MethodGet, path, nil)
	at, err := url.Parse(a.url)
	require.NoError(t, err)
	for _, cookie := range v.client.Jar.Cookies(at) {
		r.AddCookie(cookie)
	}
	m.mu.Lock()
	m.statements = nil
	m.mu.Unlock()
	w := httptest.NewRecorder()
	a.routes().ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, path)
	m.mu.Lock()
	defer m.mu.Unlock()
	c = cost{statements: len(m.statements), bytes: w.Body.Len()}
	for _, s := range m.statements {
		text := s.SQL
		if known, ok := m.prepared[text]; ok {
			text = known
		}
		if head := strings.ToUpper(strings.TrimSpace(text)); !strings.HasPrefix(head, "SELECT") {
			continue
		}
		var out []byte
		err := db.QueryRow(t.Context(), "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+text, s.Args...).Scan(&out)
		require.NoError(t, err, text)
		var plans []struct{ Plan plan }
		require.NoError(t, json.Unmarshal(out, &plans))
		c.rows += int(plans[0].Plan.read())
	}
	return c
}

// stock stores conversations of one message each, as a tracker does for many texts at a time. Those
// from first on are new.
func (a *app) stock(t *testing.T, phone graph.PhoneNumberID, first, end int) {
	t.Helper()
	for from := first; from < end; from += 1000 {
		var contacts []coexistence.ContactChange
		var messages []coexistence.MessageChange
		for i := from; i < min(from+1000, end); i++ {
			who := graph.Identity{WAID: fmt.Sprintf("1555020%05d", i)}
			aliases := coexistence.Aliases(who)
			contacts = append(contacts, coexistence.ContactChange{
				PhoneNumberID: phone, Aliases: aliases, Change: func(c *coexistence.Contact) {
					c.Key, c.Aliases, c.Identity = aliases[0], aliases, who
					c.ProfileName = fmt.Sprintf("Customer %05d", i)
				},
			})
			messages = append(messages, coexistence.MessageChange{
				PhoneNumberID: phone, ID: graph.MessageID(fmt.Sprintf("wamid.stock%d", i)),
				Change: func(m *coexistence.Message) {
					m.Person, m.Customer, m.Origin = aliases[0], who, coexistence.OriginCustomer
					m.At = time.Now().Add(-time.Duration(i) * time.Minute).Truncate(time.Second)
					m.Content = coexistence.Content{Type: webhook.TypeText, Text: "Is the rye loaf back?"}
				},
			})
		}
		_, _, err := a.db.Store().UpdateBatch(t.Context(), contacts, messages)
		require.NoError(t, err)
	}
}

// What a page costs does not grow with the conversations of its number: statements, rows that are
// read, bytes that are sent.
func TestPagesCostTheSameHoweverMuchThereIs(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(newDatabase(t))
	require.NoError(t, err)
	plain, err := pgxpool.NewWithConfig(t.Context(), config.Copy())
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	m := &meter{prepared: map[string]string{}}
	config.ConnConfig.Tracer = m
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	keys, err := openKeys("")
	require.NoError(t, err)
	db, err := postgres.Open(t.Context(), postgres.Config{Pool: pool, Keyring: keys})
	require.NoError(t, err)
	require.NoError(t, makeTables(t.Context(), db, ""))
	a, _ := newTestAppOn(t, db, keys)
	baker, bread := furnish(t, a, "bakery")
	at := "/numbers/" + bread["phone"]
	pages := []string{
		"/connect", "/settings", at, at + "/inbox", at + "/inbox/155502000007",
		at + "/inbox/" + bread["chat"], at + "/people/155502000007",
		at + "/inbox?q=rye", at + "/inbox?q=customer", at + "/inbox?q=customer+00007", at + "/inbox?q=nothing",
		at + "/campaigns", at + "/campaigns?days=1", at + "/campaigns?days=30", at + "/campaigns?q=customer",
	}
	costs := map[int]map[string]cost{}
	sizes := []int{20, 200, 20_000}
	for i, size := range sizes {
		first := 0
		if i > 0 {
			first = sizes[i-1]
		}
		a.stock(t, graph.PhoneNumberID(bread["phone"]), first, size)
		_, err := plain.Exec(t.Context(), "ANALYZE")
		require.NoError(t, err)
		costs[size] = map[string]cost{}
		for _, path := range pages {
			_ = m.measure(t, a, baker, plain, path) // the first one may index texts, or mark something as read
			costs[size][path] = m.measure(t, a, baker, plain, path)
		}
		inbox := m.measure(t, a, baker, plain, at+"/inbox?below="+last(t, baker, at+"/inbox"))
		costs[size]["second page"] = inbox
	}
	for _, path := range slices.Sorted(maps.Keys(costs[20])) {
		few, full, most := costs[20][path], costs[200][path], costs[20_000][path]
		t.Logf("%-45s 20: %+v  200: %+v  20,000: %+v", path, few, full, most)
		require.LessOrEqual(t, most.statements, few.statements+1, path)
		require.LessOrEqual(t, most.bytes, full.bytes+full.bytes/10, path)
		// Of what is small, PostgreSQL reads all; of what is large, what a search looks through.
		require.LessOrEqual(t, most.rows, 4_000, path)
	}
	without, with := costs[20][at+"/inbox/155502000007"], costs[20][at+"/inbox/"+bread["chat"]]
	require.Equal(t, without.statements, with.statements, "a picture is in the archive, and costs no statement")
}

// last is the cursor of the last conversation on a page of the list, if the list continues.
func last(t *testing.T, v *visitor, path string) string {
	t.Helper()
	_, body := v.get(path)
	found := regexp.MustCompile(`\?below=([\w-]+)`).FindStringSubmatch(body)
	if found == nil {
		return ""
	}
	return found[1]
}
