package house_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/seed-9f2bcc2b/whatsapp-coexistence"

// mayImport draws which of our packages an area may use, itself and internal/ left out: the arrows
// between the packages point one way, and none points at the examples. A package belongs to the
// area with the longest matching name.
var mayImport = map[string][]string{
	"cloudapi/graph":                  {},
	"cloudapi":                        {"cloudapi/graph"},
	"cloudapi/cloudapitest":           {"cloudapi/graph", "cloudapi"},
	"cloudapi/flowendpoint":           {"cloudapi/graph", "webhook"}, // it is signed as a webhook is
	"webhook":                         {"cloudapi/graph"},
	"signup":                          {"cloudapi/graph", "cloudapi"},
	"coexistence":                     {"cloudapi/graph", "cloudapi", "webhook"},
	"coexistence/eligibility":         {"cloudapi/graph", "cloudapi", "signup"},
	"coexistence/health":              append([]string{"coexistence/storage"}, stores...),
	"coexistence/outbox":              {"cloudapi/graph", "cloudapi", "webhook", "coexistence"},
	"coexistence/postgres":            append([]string{"coexistence/postgres/migrations", "internal/pgdb"}, opens...),
	"coexistence/sqlite":              append([]string{"coexistence/sqlite/migrations", "internal/sqlitedb"}, opens...),
	"coexistence/storage":             stores,
	"coexistence/postgres/migrations": {},
	"coexistence/sqlite/migrations":   {},
	"coexistence/simulator":           append([]string{"internal/board", "internal/control"}, plays...),
	"coexistence/coexistencetest":     simulates,
	"coexistence/internal/modeltest":  append([]string{"coexistence/coexistencetest"}, simulates...),
	"internal":                        {"cloudapi/graph"},
	"internal/bench":                  {"cloudapi/graph", "webhook"},
	"internal/bench/pipeline":         append([]string{"coexistence/sqlite", "coexistence/postgres"}, everything...),
	"signup/signuptest":               {"cloudapi/graph", "cloudapi", "signup"},
	"signup/doctor":                   {"cloudapi/graph", "cloudapi", "cloudapi/cloudapitest", "webhook", "signup"},
	"internal/board":                  append([]string{"internal/control"}, plays...),
	"internal/control":                plays,
	"internal/pgdb":                   servers,
	"internal/sqlinbox":               {"cloudapi/graph", "webhook"},
	"internal/sqlitedb":               files,
	"internal/sqlsignup":              {"cloudapi/graph", "cloudapi", "signup"},
	"internal/sqlstore":               {"cloudapi/graph", "cloudapi", "webhook", "coexistence"},
	"webhook/inbox/pginbox":           append([]string{"internal/pgdb"}, servers...),
	"webhook/inbox/sqliteinbox":       append([]string{"internal/sqlitedb"}, files...),
}

var (
	// stores is what storage over any database may use.
	stores = []string{
		"cloudapi/graph", "cloudapi", "webhook", "signup", "coexistence", "coexistence/outbox",
		"internal/sqlsignup", "internal/sqlstore",
	}

	// opens is what opening everything in one database may use, besides that database.
	opens = append([]string{"coexistence/storage", "internal/sqlinbox"}, stores...)

	// files and servers are what an inbox in SQLite and one in PostgreSQL may use, besides the way
	// to open it.
	files   = []string{"cloudapi/graph", "webhook", "internal/sqlinbox", "coexistence/sqlite/migrations"}
	servers = []string{"cloudapi/graph", "webhook", "internal/sqlinbox", "coexistence/postgres/migrations"}
)

// everything is what opening both databases reaches, and what measures.
var everything = append([]string{
	"coexistence/sqlite/migrations", "coexistence/postgres/migrations", "internal/sqlitedb", "internal/pgdb",
	"internal/bench",
}, opens...)

// simulates is what the simulator may use. Packages coexistence and signup do not know each other;
// the simulator knows both, since one call of it plays the popup for a signup.Flow.
var simulates = []string{"cloudapi/graph", "cloudapi", "cloudapi/cloudapitest", "webhook", "coexistence", "signup"}

// plays is what a program that drives the simulator may use.
var plays = append([]string{"coexistence/coexistencetest"}, simulates...)

// mayLink lists the modules besides ours and the standard library that a package may put into a
// host's binary. A package without a line here, and everything below it, may link none: that is
// what hosts of webhook rely on. The reasons are in CONTRIBUTING.md.
var mayLink = map[string][]string{
	"cloudapi":                    calls,
	"cloudapi/cloudapitest":       calls,
	"signup":                      calls,
	"coexistence":                 calls,
	"coexistence/coexistencetest": append([]string{"rsc.io/qr"}, calls...), // its popup shows a QR code
	"coexistence/eligibility":     append(slices.Clone(numbers), calls...), // it knows the signup page
	"coexistence/postgres":        append(slices.Clone(pgx), calls...),
	"coexistence/simulator":       append([]string{"rsc.io/qr"}, calls...),
	"coexistence/sqlite":          append(slices.Clone(sqlite), calls...),
	"internal/board":              append([]string{"rsc.io/qr"}, calls...),
	"internal/control":            append([]string{"rsc.io/qr"}, calls...),
	"internal/pgdb":               pgx,
	"internal/sqlitedb":           sqlite,
	"internal/sqlsignup":          calls,
	"internal/sqlstore":           calls,
	"cloudapi/redislimit":         append(slices.Clone(redis), calls...),
	"webhook/inbox/natsinbox":     nats,
	"webhook/inbox/pginbox":       pgx,
	"webhook/inbox/sqliteinbox":   sqlite,
	"internal/bench/ratios":       sqlite,
	"internal/bench/pipeline":     slices.Concat(sqlite, pgx, calls),

	"coexistence/internal/modeltest": append([]string{"rsc.io/qr"}, calls...), // as the simulator that it runs against
}

var (
	// calls is what calling the Graph API takes.
	calls = []string{
		"github.com/google/go-querystring",
		"github.com/hashicorp/go-cleanhttp",
		"github.com/hashicorp/go-retryablehttp",
		"golang.org/x/time",
	}

	// pgx is the driver of PostgreSQL.
	pgx = []string{
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"github.com/jackc/puddle/v2",
		"golang.org/x/crypto",
		"golang.org/x/sync",
		"golang.org/x/text",
	}

	// sqlite is the driver of SQLite.
	sqlite = []string{
		"github.com/dustin/go-humanize",
		"github.com/google/uuid",
		"github.com/mattn/go-isatty",
		"github.com/ncruces/go-strftime",
		"github.com/remyoudompheng/bigfft",
		"golang.org/x/sys",
		"modernc.org/libc",
		"modernc.org/mathutil",
		"modernc.org/memory",
		"modernc.org/sqlite",
	}

	// redis is the client of Redis.
	redis = []string{
		"github.com/cespare/xxhash/v2",
		"github.com/dgryski/go-rendezvous",
		"github.com/redis/go-redis/v9",
	}

	// nats is the client of NATS.
	nats = []string{
		"github.com/klauspost/compress",
		"github.com/nats-io/nats.go",
		"github.com/nats-io/nkeys",
		"github.com/nats-io/nuid",
		"golang.org/x/crypto",
		"golang.org/x/sys",
	}

	// numbers is what judging phone numbers and app versions takes.
	numbers = []string{
		"github.com/hashicorp/go-version",
		"github.com/nyaruka/phonenumbers",
		"golang.org/x/text",
		"google.golang.org/protobuf",
	}
)

// A pkg is what "go list" tells about a package that some core package links.
type pkg struct {
	ImportPath string
	Deps       []string
	Module     *struct{ Path string }
}

// name is the path inside the repository.
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// loadPackages lists the packages of the core module and all that they link. It looks at the module
// alone, as a host's build does, not at the workspace.
var loadPackages = sync.OnceValues(func() (map[string]pkg, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Deps,Module", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(err, errors.New(stderr.String()))
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
})

// core returns our packages, and all packages by import path.
func core(t *testing.T) (ours []pkg, all map[string]pkg) {
	t.Helper()
	all, err := loadPackages()
	require.NoError(t, err)
	for _, p := range all {
		if p.Module != nil && p.Module.Path == module {
			ours = append(ours, p)
		}
	}
	require.NotEmpty(t, ours)
	slices.SortFunc(ours, func(a, b pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return ours, all
}

// area returns the longest key of table that name is, or lies below; "" if there is none.
func area(table map[string][]string, name string) string {
	for {
		if _, ok := table[name]; ok {
			return name
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return ""
		}
		name = name[:i]
	}
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	ours, all := core(t)
	var found []string
	for _, p := range ours {
		from := area(mayImport, p.name())
		if from == "" {
			found = append(found, fmt.Sprintf("draw %s into mayImport: whom may it know?", p.name()))
			continue
		}
		for _, dep := range p.Deps {
			d := all[dep]
			if d.Module == nil || d.Module.Path != module {
				continue
			}
			to := area(mayImport, d.name())
			if to != from && to != "internal" && !slices.Contains(mayImport[from], to) {
				found = append(found, p.name()+" reaches "+d.name()+"; the arrows do not point that way")
			}
		}
	}
	require.Empty(t, strings.Join(found, "\n"))
}

func TestPackagesLinkOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	ours, all := core(t)
	var found []string
	for _, p := range ours {
		allowed := mayLink[area(mayLink, p.name())]
		for _, dep := range p.Deps {
			if m := all[dep].Module; m != nil && m.Path != module && !slices.Contains(allowed, m.Path) {
				found = append(found, fmt.Sprintf("%s links %s", p.name(), dep))
			}
		}
	}
	require.Empty(t, strings.Join(found, "\n"))
}

// Hosts link the test packages too, and "testing" does not belong into their programs. It comes
// along with httptest since Go 1.27: a listener and an http.Server do the same without it.
func TestNothingLinksTheTestingPackage(t *testing.T) {
	t.Parallel()
	ours, _ := core(t)
	var found []string
	for _, p := range ours {
		for _, dep := range p.Deps {
			if dep == "testing" || strings.HasPrefix(dep, "testing/") || dep == "net/http/httptest" {
				found = append(found, fmt.Sprintf("%s links %s", p.name(), dep))
			}
		}
	}
	require.Empty(t, strings.Join(found, "\n"))
}

func TestAreaIsTheLongestName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, want string }{
		"itself":      {"cloudapi", "cloudapi"},
		"nearest":     {"cloudapi/graph", "cloudapi/graph"},
		"below":       {"webhook/inbox/sqlinbox", "webhook"},
		"not a child": {"webhooks", ""},
		"undrawn":     {"billing/invoice", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, area(mayImport, tt.name))
		})
	}
}
