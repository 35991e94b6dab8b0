// Package tombstone makes the marks under which stores remember whom they have forgotten.
package tombstone

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Key is the secret of one storage. Phone numbers are few enough to be tried out one after the
// other: without the key, a mark tells nothing, and those of two storages cannot be compared.
type Key []byte

// Number returns the mark of a business's number.
func (k Key) Number(phone graph.PhoneNumberID) string { return k.mark("number", string(phone)) }

// Person returns the mark of a person under a name. The same person has another mark for each
// number of a business.
func (k Key) Person(phone graph.PhoneNumberID, name string) string {
	return k.mark("person", string(phone), name)
}

// mark is a keyed hash of texts, whose lengths keep them apart. 128 bits do not collide by
// accident.
func (k Key) mark(parts ...string) string {
	h := hmac.New(sha256.New, k)
	for _, p := range parts {
		h.Write(binary.AppendUvarint(nil, uint64(len(p))))
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
