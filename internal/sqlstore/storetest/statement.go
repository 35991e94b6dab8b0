package storetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// Statements is a way to a database that notes each statement, so that its plan can be looked at
// afterwards: what sql.OpenDB takes.
type Statements struct {
	driver driver.Driver
	name   string

	mu   sync.Mutex
	list []statement
	seen map[string]int // how many there are of a text
}

type statement struct {
	settings []string // of its transaction
	query    string
	args     []any
}

// variants is how many statements of one text are looked at, each with other parameters.
const variants = 16

// NewStatements returns a way to the database that db leads to. name is its name for that driver.
func NewStatements(db *sql.DB, name string) *Statements {
	return &Statements{driver: db.Driver(), name: name, seen: map[string]int{}}
}

// Connect implements driver.Connector.
func (s *Statements) Connect(context.Context) (driver.Conn, error) {
	c, err := s.driver.Open(s.name)
	if err != nil {
		return nil, err
	}
	return &notedConn{Conn: c, s: s}, nil
}

// Driver implements driver.Connector.
func (s *Statements) Driver() driver.Driver { return s.driver }

func (c *notedConn) note(query string, args []driver.NamedValue) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(query, "SELECT set_config(") {
		c.settings = append(c.settings, query)
	}
	if s.seen[query] == variants {
		return
	}
	s.seen[query]++
	one := statement{settings: slices.Clone(c.settings), query: query}
	for _, a := range args {
		one.args = append(one.args, a.Value)
	}
	s.list = append(s.list, one)
}

// A notedConn is a connection whose statements are noted. Both drivers have all that it asks for.
type notedConn struct {
	driver.Conn
	s        *Statements
	settings []string // that hold until the transaction ends
}

var errDriver = errors.New("the driver has no such method")

func (c *notedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	q, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, errDriver
	}
	c.note(query, args)
	return q.QueryContext(ctx, query, args)
}

func (c *notedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	e, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, errDriver
	}
	c.note(query, args)
	return e.ExecContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *notedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	p, ok := c.Conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, errDriver
	}
	stmt, err := p.PrepareContext(ctx, query)
	return &notedStmt{stmt, c, query}, err
}

// A notedStmt is a prepared statement that is noted when it runs.
type notedStmt struct {
	driver.Stmt
	c     *notedConn
	query string
}

func (s *notedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	q, ok := s.Stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, errDriver
	}
	s.c.note(s.query, args)
	return q.QueryContext(ctx, args)
}

func (s *notedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	e, ok := s.Stmt.(driver.StmtExecContext)
	if !ok {
		return nil, errDriver
	}
	s.c.note(s.query, args)
	return e.ExecContext(ctx, args)
}

func (c *notedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	b, ok := c.Conn.(driver.ConnBeginTx)
	if !ok {
		return nil, errDriver
	}
	tx, err := b.BeginTx(ctx, opts)
	c.settings = nil
	return notedTx{tx, c}, err
}

// A notedTx is a transaction with settings of its own.
type notedTx struct {
	driver.Tx
	c *notedConn
}

// Commit implements driver.Tx.
func (t notedTx) Commit() error {
	t.c.settings = nil
	return t.Tx.Commit()
}

// Rollback implements driver.Tx.
func (t notedTx) Rollback() error {
	t.c.settings = nil
	return t.Tx.Rollback()
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *notedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Unbounded asks the database for the plan of each statement that was noted, and returns an error
// for each that reads or sorts more than it needs: a table from one end to the other, or as many
// rows as there are.
func (s *Statements) Unbounded(ctx context.Context, db *sql.DB, dialect sqldb.Dialect) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	judge := judgeSQLite
	if dialect == sqldb.PostgreSQL {
		judge = judgePostgreSQL
	}
	var errs []error
	for _, one := range s.list {
		word, _, _ := strings.Cut(strings.TrimSpace(one.query), " ")
		if !slices.Contains([]string{"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}, word) {
			continue // settings, the beginning and the end of transactions
		}
		wrong, err := one.judged(ctx, db, judge)
		if err != nil {
			return fmt.Errorf("%s: %w", one.query, err)
		}
		if wrong != "" {
			errs = append(errs, fmt.Errorf("%s, by\n%s\nwith %.200v", wrong, one.query, one.args))
		}
	}
	return errors.Join(errs...)
}

// judged has a plan judged under the settings that the statement had.
func (one statement) judged(
	ctx context.Context, db *sql.DB, judge func(context.Context, *sql.Tx, statement) (string, error),
) (wrong string, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	for _, set := range one.settings {
		if _, err := tx.ExecContext(ctx, set); err != nil {
			return "", err
		}
	}
	return judge(ctx, tx, one)
}

// fixed are tables that have one row, or as many as there are erasures under way.
var fixed = []string{"coexistence_texts_indexed", "coexistence_tombstone_key", "coexistence_erasures"}

// scanned finds what SQLite goes through from one end to the other, sorted what it sorts, and made
// what it has made itself, out of a part of the statement that is judged for itself.
var (
	scanned = regexp.MustCompile(`^SCAN ([^ ]+)( VIRTUAL TABLE INDEX)?`)
	sorted  = regexp.MustCompile(`^USE TEMP B-TREE FOR (ORDER BY|LAST)`)
	made    = regexp.MustCompile(`^(?:CO-ROUTINE|MATERIALIZE) (.+)$`)
)

// judgeSQLite looks at each step of a plan. What is sorted is sorted by an index; an IN takes the
// list of a parameter apart, which is as long as the caller has made it.
func judgeSQLite(ctx context.Context, tx *sql.Tx, one statement) (wrong string, err error) {
	rows, err := tx.QueryContext(ctx, "EXPLAIN QUERY PLAN "+one.query, one.args...)
	if err != nil {
		return "", err
	}
	var steps []string
	err = sqldb.EachRow(rows, func(rows *sql.Rows) error {
		var id, parent, unused int
		var step string
		err := rows.Scan(&id, &parent, &unused, &step)
		steps = append(steps, step)
		return err
	})
	var parts []string
	for _, step := range steps {
		if m := made.FindStringSubmatch(step); m != nil {
			parts = append(parts, m[1])
		}
	}
	for _, step := range steps {
		m := scanned.FindStringSubmatch(step)
		whole := m != nil && m[2] == "" && m[1] != "CONSTANT" && !slices.Contains(append(parts, fixed...), m[1])
		if whole || sorted.MatchString(step) {
			wrong = strings.Join(steps, "\n")
		}
	}
	return wrong, err
}

// A planNode is a step of a plan of PostgreSQL.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Index    string     `json:"Index Name"`
	Cond     string     `json:"Index Cond"`
	Rows     float64    `json:"Plan Rows"`
	Plans    []planNode `json:"Plans"`
}

// many is how many rows PostgreSQL may expect to sort: more than any list has.
const many = 2000

// grown are the tables that Crowd has filled. Others have a few rows, and are read as they are.
var grown = []string{
	"coexistence_messages", "coexistence_conversations", "coexistence_contacts", "coexistence_aliases",
	"coexistence_names",
}

// judgePostgreSQL looks at each step of a plan.
func judgePostgreSQL(ctx context.Context, tx *sql.Tx, one statement) (string, error) {
	var text string
	if err := tx.QueryRowContext(ctx, "EXPLAIN (FORMAT JSON) "+one.query, one.args...).Scan(&text); err != nil {
		return "", err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		return "", err
	}
	return plans[0].Plan.wrong(), nil
}

func (n planNode) wrong() string {
	rows := n.Rows
	for _, below := range n.Plans {
		if w := below.wrong(); w != "" {
			return w
		}
		rows = max(rows, below.Rows)
	}
	whole := n.Type == "Seq Scan" || strings.HasPrefix(n.Type, "Index") && n.Cond == ""
	sorts := strings.HasSuffix(n.Type, "Sort") && rows > many
	if sorts || whole && slices.Contains(grown, n.Relation) {
		return fmt.Sprintf("%s of %.0f rows %s%s", n.Type, rows, n.Relation, n.Index)
	}
	return ""
}
