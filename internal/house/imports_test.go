package house_test

import (
	"encoding/json"
	"errors"
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

// mayImport draws which of our packages an area may use, itself and internal/ left out: the arrows between the packages
// point one way, and nobody knows the examples. A package belongs to the area with the longest matching name.
var mayImport = map[string][]string{
	"cloudapi/graph":              {},
	"cloudapi":                    {"cloudapi/graph"},
	"cloudapi/cloudapitest":       {"cloudapi/graph", "cloudapi"},
	"webhook":                     {"cloudapi/graph"},
	"signup":                      {"cloudapi/graph", "cloudapi"},
	"coexistence":                 {"cloudapi/graph", "cloudapi", "webhook"},
	"coexistence/eligibility":     {"cloudapi/graph"},
	"coexistence/coexistencetest": {"cloudapi/graph", "cloudapi", "cloudapi/cloudapitest", "webhook", "coexistence"},
	"internal":                    {"cloudapi/graph", "cloudapi", "cloudapi/cloudapitest", "webhook"},
}

// mayLink lists the modules besides ours and the standard library that a package may put into a host's binary. A package
// without a line here, and everything below it, may link none: that is what hosts of webhook rely on. The reasons are in
// CONTRIBUTING.md.
var mayLink = map[string][]string{
	"cloudapi":                    calls,
	"cloudapi/cloudapitest":       calls,
	"signup":                      calls,
	"coexistence":                 calls,
	"coexistence/coexistencetest": slices.Concat(calls, numbers),
	"coexistence/eligibility":     numbers,
}

var (
	// calls is what calling the Graph API takes.
	calls = []string{
		"github.com/google/go-querystring",
		"github.com/hashicorp/go-cleanhttp",
		"github.com/hashicorp/go-retryablehttp",
		"golang.org/x/time",
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

// loadPackages lists the packages of the core module and all that they link. It looks at the module alone, as a host's
// build does, not at the workspace.
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
	for _, p := range ours {
		from := area(mayImport, p.name())
		require.NotEmpty(t, from, "draw %s into mayImport: who may it know?", p.name())
		for _, dep := range p.Deps {
			d := all[dep]
			if d.Module == nil || d.Module.Path != module {
				continue
			}
			to := area(mayImport, d.name())
			if to != from && to != "internal" {
				require.Contains(t, mayImport[from], to, "%s reaches %s; the arrows do not point that way", p.name(), d.name())
			}
		}
	}
}

func TestPackagesLinkOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	ours, all := core(t)
	for _, p := range ours {
		allowed := mayLink[area(mayLink, p.name())]
		for _, dep := range p.Deps {
			if m := all[dep].Module; m != nil && m.Path != module {
				require.Contains(t, allowed, m.Path, "%s links %s", p.name(), dep)
			}
		}
	}
}

// Hosts link the test packages too, as they do net/http/httptest: flags of "go test" must not appear in their programs.
func TestNothingLinksTheTestingPackage(t *testing.T) {
	t.Parallel()
	ours, _ := core(t)
	for _, p := range ours {
		for _, dep := range p.Deps {
			require.False(t, dep == "testing" || strings.HasPrefix(dep, "testing/"), "%s links %s", p.name(), dep)
		}
	}
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
