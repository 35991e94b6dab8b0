// Package browser drives the page of signup.Flow.Handler and the popup of coexistencetest in a real
// browser, Chromium, under the true origins of Meta: no network is needed, because the browser
// resolves their names to this machine. It has tests only.
//
// The tests skip where no Chromium is installed. With COEXISTENCE_SCREENSHOTS naming a folder, they
// leave pictures of every screen there.
package browser
