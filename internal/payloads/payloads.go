// Package payloads finds the conformance bodies that tests compare with. They are not part of this
// repository: COEXISTENCE_PAYLOADS names the folders that hold them.
package payloads

import (
	"os"
	"path/filepath"
)

// Folder returns the folder of COEXISTENCE_PAYLOADS that has a file or folder of this name, and
// "" if none has. The variable is a list as PATH is one: separated by a colon, on Windows by a
// semicolon.
func Folder(having string) string {
	for _, dir := range filepath.SplitList(os.Getenv("COEXISTENCE_PAYLOADS")) {
		_, err := os.Stat(filepath.Join(dir, having))
		if err == nil {
			return dir
		}
	}
	return ""
}
