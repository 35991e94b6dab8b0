//go:build !linux

package sqlite_test

import (
	"os"
	"testing"
)

// asAnybody skips where root cannot do without its rights.
func asAnybody(t *testing.T) (back func()) {
	t.Helper()
	if os.Getuid() == 0 {
		t.Skip("run the tests as another user than root")
	}
	return func() {}
}
