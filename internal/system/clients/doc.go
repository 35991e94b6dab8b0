// Package clients holds published clients of Cloud API against the simulator: eight of npm's go
// through sends, media, templates, profile, blocking, QR codes and webhooks, unchanged, with Meta's
// names led to the program coexistence/simulator. A page with the listener that Meta documents goes
// through signup in Playwright. The package has tests only, and a script for each client.
//
// The test skips where no Node.js with npm is installed, and the page where there is no Chromium.
// What fails is a bug of the client, which the test names; docs/clients.md is the table that it
// makes:
//
//	go test ./internal/system/clients -update
package clients
