package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
)

// A backup while the file is in use: SQLite writes the copy.
func ExampleOpen_backup() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "coexistence")
	if err != nil {
		log.Fatal(err)
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "whatsapp.db")})
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.SQL().ExecContext(ctx, "VACUUM INTO ?", filepath.Join(dir, "backup.db"))
	fmt.Println(err)
	fmt.Println(db.Close(), os.RemoveAll(dir))
	// Output:
	// <nil>
	// <nil> <nil>
}
