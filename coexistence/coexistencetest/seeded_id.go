package coexistencetest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// seededID returns an id of fifteen digits that the seed and a name decide, whatever was made
// before: portfolios, accounts and numbers have the same ids in every run, so that a host can keep
// them in its settings. A name that comes twice has other ids from the second time on. The caller
// must hold w.mu.
func (w *World) seededID(kind, name string) string {
	n := w.seeded[kind+" "+name]
	w.seeded[kind+" "+name]++
	// What is counted up in Meta's part of the world begins at 1e14 and 6e14.
	return fmt.Sprint(700_000_000_000_000 + hash(w.cfg.Seed, kind, name, n)%299_999_999_999_999)
}

// seededUserID is [World.seededID] for the user id of a customer of one business, in the form of
// Meta's: a country, a dot and digits. The country says nothing about the person. The caller must
// hold w.mu.
func (w *World) seededUserID(name string) graph.UserID {
	n := w.seeded["user "+name]
	w.seeded["user "+name]++
	digits := 1_000_000_000_000_000_000 + hash(w.cfg.Seed, "user", name, n)%8_000_000_000_000_000_000
	return graph.UserID(fmt.Sprintf("US.%d", digits))
}

// seededToken is an access token in the form of Meta's that the seed and a name decide. It opens
// nothing but a simulator.
func (w *World) seededToken(name string) graph.Secret {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	token := []byte("EAA")
	for i := range 48 {
		token = append(token, letters[hash(w.cfg.Seed, "token", name, i)%uint64(len(letters))])
	}
	return graph.Secret(token)
}

// hash is a number that its parts decide.
func hash(seed uint64, kind, name string, n int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%d", seed, kind, name, n))
	return binary.BigEndian.Uint64(sum[:8])
}
