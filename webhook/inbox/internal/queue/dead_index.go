package queue

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A deadIndex has the dead letters, and their IDs in order: all of them, and those of each number,
// so that a page costs a page.
type deadIndex struct {
	records  map[ID]*record
	ids      sortedIDs
	byNumber map[graph.PhoneNumberID]*sortedIDs // events only
}

func newDeadIndex() deadIndex {
	return deadIndex{records: map[ID]*record{}, byNumber: map[graph.PhoneNumberID]*sortedIDs{}}
}

func (x *deadIndex) add(rec *record) {
	x.records[rec.ID] = rec
	x.ids.add(rec.ID)
	if rec.PhoneNumberID == "" {
		return
	}
	if x.byNumber[rec.PhoneNumberID] == nil {
		x.byNumber[rec.PhoneNumberID] = new(sortedIDs)
	}
	x.byNumber[rec.PhoneNumberID].add(rec.ID)
}

func (x *deadIndex) remove(rec *record) {
	delete(x.records, rec.ID)
	x.ids.remove(rec.ID)
	if of := x.byNumber[rec.PhoneNumberID]; of != nil {
		if of.remove(rec.ID); len(of.chunks) == 0 {
			delete(x.byNumber, rec.PhoneNumberID)
		}
	}
}

// page returns up to limit IDs larger than after, in order. An empty number stands for all.
func (x *deadIndex) page(number graph.PhoneNumberID, after ID, limit int) []ID {
	if number == "" {
		return x.ids.page(after, limit)
	}
	if of := x.byNumber[number]; of != nil {
		return of.page(after, limit)
	}
	return nil
}

// sortedIDs are IDs in order, in chunks that are not empty: adding or removing one moves no more
// than a chunk.
type sortedIDs struct{ chunks [][]ID }

// maxChunk is how many IDs a chunk has at most.
const maxChunk = 512

// find returns the last chunk that begins with the ID or before it, or the first one, and where in
// it the ID is or belongs. There has to be a chunk.
func (s *sortedIDs) find(id ID) (chunk, at int, found bool) {
	chunk, begins := slices.BinarySearchFunc(s.chunks, id, func(c []ID, id ID) int { return int(c[0] - id) })
	if !begins {
		chunk = max(chunk-1, 0)
	}
	at, found = slices.BinarySearch(s.chunks[chunk], id)
	return chunk, at, found
}

// add adds an ID, unless it is there.
func (s *sortedIDs) add(id ID) {
	if len(s.chunks) == 0 {
		s.chunks = append(s.chunks, []ID{id})
		return
	}
	i, at, found := s.find(id)
	if found {
		return
	}
	c := slices.Insert(s.chunks[i], at, id)
	s.chunks[i] = c
	if len(c) <= maxChunk {
		return
	}
	// IDs mostly come in order, so a chunk that is full is left as full as it is.
	half := maxChunk / 2
	if at == maxChunk {
		half = maxChunk
	}
	s.chunks[i] = slices.Clip(c[:half])
	s.chunks = slices.Insert(s.chunks, i+1, slices.Clone(c[half:]))
}

// remove removes an ID, if it is there.
func (s *sortedIDs) remove(id ID) {
	if len(s.chunks) == 0 {
		return
	}
	i, at, found := s.find(id)
	if !found {
		return
	}
	if s.chunks[i] = slices.Delete(s.chunks[i], at, at+1); len(s.chunks[i]) == 0 {
		s.chunks = slices.Delete(s.chunks, i, i+1)
	}
}

// page returns up to limit IDs larger than after.
func (s *sortedIDs) page(after ID, limit int) (ids []ID) {
	if len(s.chunks) == 0 {
		return nil
	}
	i, at, found := s.find(after)
	if found {
		at++
	}
	for ; i < len(s.chunks) && len(ids) < limit; i, at = i+1, 0 {
		c := s.chunks[i][at:]
		ids = append(ids, c[:min(len(c), limit-len(ids))]...)
	}
	return ids
}
