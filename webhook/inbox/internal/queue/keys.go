package queue

import "crypto/sha256"

// keyIndex holds the deduplication keys of all records that are stored, and of those that are done
// until [Machine.DeleteExpired] forgets them.
type keyIndex struct {
	entries map[keyHash]keyEntry
	done    int // entries whose doneAt is set
}

// keyHash is the beginning of a key's SHA-256. Keys of eight days have to fit into memory, and 128
// bits do not collide by accident.
type keyHash [16]byte

// keyEntry says which delivery a key belongs to, and when its record was done.
type keyEntry struct {
	delivery ID
	doneAt   int64 // microseconds since 1970; 0 until the record is done
}

func hashKey(key string) keyHash {
	sum := sha256.Sum256([]byte(key))
	return keyHash(sum[:16])
}

// has reports whether a key is known. The empty key never is.
func (x *keyIndex) has(key string) bool {
	if key == "" {
		return false
	}
	_, ok := x.entries[hashKey(key)]
	return ok
}

// add remembers the key of a record that is not done.
func (x *keyIndex) add(rec Record) {
	if rec.Key != "" {
		x.entries[hashKey(rec.Key)] = keyEntry{delivery: rec.Delivery}
	}
}

// finish notes that the record of a key is done, from when on the key can expire.
func (x *keyIndex) finish(key string, now int64) {
	if key == "" {
		return
	}
	hash := hashKey(key)
	entry, ok := x.entries[hash]
	if !ok {
		return // dropped by Outcome.DropKey
	}
	if entry.doneAt == 0 {
		x.done++
	}
	entry.doneAt = now
	x.entries[hash] = entry
}

// remove forgets a key, so that the next record with it is new.
func (x *keyIndex) remove(key string) {
	if key != "" {
		x.removeHash(hashKey(key))
	}
}

func (x *keyIndex) removeHash(hash keyHash) {
	if x.entries[hash].doneAt != 0 {
		x.done--
	}
	delete(x.entries, hash)
}
