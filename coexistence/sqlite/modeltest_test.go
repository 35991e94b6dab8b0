package sqlite_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/internal/modeltest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
)

// The model test, with a host that opens its file again after each crash.
func TestAHostThatCrashesGoesOnWithItsFile(t *testing.T) {
	t.Parallel()
	first := rand.Uint64N(1 << 40)
	t.Logf("seeds %d to %d", first, first+19)
	for seed := range uint64(20) {
		path := filepath.Join(t.TempDir(), "coexistence.db")
		synctest.Test(t, func(t *testing.T) {
			out, err := modeltest.Run(t.Context(), first+seed, func() (coexistence.Store, error) {
				db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
				if err != nil {
					return nil, err
				}
				return store{db.Store(), db}, nil
			})
			if err != nil {
				t.Errorf("seed %d: %v\n%s", first+seed, err, strings.Join(out.Log, "\n"))
			}
		})
	}
}
