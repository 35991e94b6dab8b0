package sqlinbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// knownKeys holds the keys of deliveries in a SQLite store: exactly for arrivals, which are in no
// index, and approximately for the table, in 10 to 20 bits of memory for each key. For nearly all
// new keys it knows that the table does not have them. Looking up a new key in the index would take
// longer than the rest of storing a delivery, since keys are scattered over the index; repeats are
// rare.
//
// It only decides what is counted as new. The index ensures that no key is stored twice.
//
// After it is opened, a store reads the keys of the table in steps, with its first commits, and
// again when half of them have been deleted. Until it has read all, it uses the previous set;
// without one, the table may have any key.
type knownKeys struct {
	mu      sync.Mutex
	arrived map[keyHash]struct{} // nil if there are none
	table   *keySet              // nil until all keys have been read
	deleted int                  // keys of the set that were deleted from the table
	reading *keySet              // the next set, with the keys up to after; nil if none is being read
	after   string
}

// A keyHash is a short form of a key, because there may be many.
type keyHash [16]byte

// hashKey returns the first 128 bits of a key's SHA-256, which do not collide by accident.
func hashKey(key string) keyHash {
	sum := sha256.Sum256([]byte(key))
	return keyHash(sum[:])
}

// hashesOf returns the hashes of the records' keys.
func hashesOf(recs []inbox.Record) (hashes []keyHash) {
	for _, rec := range recs {
		if rec.DedupKey != "" {
			hashes = append(hashes, hashKey(rec.DedupKey))
		}
	}
	return hashes
}

// has reports whether a key is known, and whether it may be: then the index decides.
func (k *knownKeys) has(key keyHash) (known, perhaps bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known = k.arrived[key]; known {
		return true, false
	}
	return false, k.table == nil || k.table.mayHave(key)
}

// arrive adds keys of arrivals, after the commit of the transaction that stored them.
func (k *knownKeys) arrive(keys ...keyHash) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range keys {
		if k.arrived == nil {
			k.arrived = map[keyHash]struct{}{}
		}
		k.arrived[key] = struct{}{}
	}
}

// add adds keys of the table, after the commit of the transaction that stored them, and removes
// them from those of arrivals.
func (k *knownKeys) add(keys ...keyHash) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range keys {
		for _, set := range []*keySet{k.table, k.reading} {
			if set != nil {
				set.add(key)
			}
		}
		delete(k.arrived, key)
	}
	if len(k.arrived) == 0 {
		k.arrived = nil // a map does not shrink
	}
}

// forget counts keys that were deleted from the table.
func (k *knownKeys) forget(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.deleted += n; k.table != nil && k.reading == nil && 2*k.deleted > k.table.keys {
		k.reading, k.after = new(keySet), ""
	}
}

// keysPerCommit is how many keys of the table are read with a commit, which takes about a
// millisecond.
const keysPerCommit = 512

// readKeys reads the next keys of the table, if some are left. It runs in a write transaction, so
// that no other one stores keys meanwhile; keys that are stored later are added to the set.
func (s *Store) readKeys(ctx context.Context, tx *sql.Tx) error {
	k := &s.keys
	k.mu.Lock()
	reading, after := k.reading, k.after
	k.mu.Unlock()
	if reading == nil {
		return nil
	}
	keys := make([]keyHash, 0, keysPerCommit)
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		err := rows.Scan(&after)
		keys = append(keys, hashKey(after))
		return err
	}, "SELECT record_key FROM webhook_deliveries WHERE record_key > ? ORDER BY record_key LIMIT ?",
		after, keysPerCommit)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range keys {
		reading.add(key)
	}
	if k.after = after; len(keys) < keysPerCommit {
		k.table, k.deleted, k.reading = reading, 0, nil
	}
	return nil
}

// A keySet is a scalable Bloom filter: a list of filters, each for twice as many keys as the one
// before. Of 100 unknown keys, it takes two or three for known.
type keySet struct {
	keys    int
	filters [][]filterBlock
	room    int // how many more keys the last filter takes
}

// A filterBlock has all bits of its keys, so that a lookup touches one cache line.
type filterBlock [8]uint64

const (
	firstFilter = 1 << 14 // keys
	bitsPerKey  = 10      // of the filter
	bitsSet     = 7       // in the block of a key, for each key
)

func (s *keySet) add(key keyHash) {
	if s.room == 0 {
		s.room = firstFilter << len(s.filters)
		s.filters = append(s.filters, make([]filterBlock, s.room*bitsPerKey/512))
	}
	s.room--
	s.keys++
	block, mask := place(s.filters[len(s.filters)-1], key)
	for i, word := range mask {
		block[i] |= word
	}
}

func (s *keySet) mayHave(key keyHash) bool {
	return slices.ContainsFunc(s.filters, func(filter []filterBlock) bool {
		block, mask := place(filter, key)
		for i, word := range mask {
			if block[i]&word != word {
				return false
			}
		}
		return true
	})
}

// place returns the block of a key, and the bits that are set in it.
func place(filter []filterBlock, key keyHash) (block *filterBlock, mask filterBlock) {
	at, _ := bits.Mul64(binary.LittleEndian.Uint64(key[:8]), uint64(len(filter)))
	which := binary.LittleEndian.Uint64(key[8:])
	for range bitsSet {
		mask[which>>6&7] |= 1 << (which & 63)
		which >>= 9
	}
	return &filter[at], mask
}
