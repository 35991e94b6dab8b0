package sqlite_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// asAnybody takes the right to every file from the thread of the test, if it has it, and returns
// what gives it back.
func asAnybody(t *testing.T) (back func()) {
	t.Helper()
	if os.Getuid() != 0 {
		return func() {}
	}
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Fatal(err) // the thread stays locked, and ends with the test
		}
		runtime.UnlockOSThread()
	}
}
