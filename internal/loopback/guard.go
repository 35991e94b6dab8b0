// Package loopback keeps pages that are for people at this machine from web pages of others.
package loopback

import (
	"net"
	"net/http"
	"strings"
)

// Guard refuses requests that reach this machine by its loopback interface under a name that is not
// one of it. A page of a stranger can make a browser send such: its name leads to a server of the
// stranger's first and to 127.0.0.1 then, and to the browser both are one site. Where a program
// listens for other machines, Guard lets their requests pass.
func Guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if local != nil && isLoopback(local.String()) && !ownName(r.Host) {
			http.Error(w, "this page is for people at this machine: ask for 127.0.0.1 or localhost",
				http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// isLoopback reports whether an address such as "127.0.0.1:8080" is on the loopback interface.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// ownName reports whether the host of a request, with or without a port, names this machine.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return ThisMachine(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
}

// ThisMachine reports whether a host, without port and brackets, names this machine.
func ThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
