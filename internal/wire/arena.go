package wire

import "strings"

// An arena is the memory that the strings of one text share, which saves an allocation for each.
// The garbage collector frees a chunk as a whole: one string that is kept keeps its chunk.
type arena struct {
	chunk   int // the size of a chunk in bytes
	current strings.Builder
}

// defaultChunk is the size of a chunk unless [Scanner.Share] sets another one.
const defaultChunk = 4 << 10

// reset drops the current chunk, which belongs to the strings in it.
func (a *arena) reset() { a.chunk, a.current = defaultChunk, strings.Builder{} }

// Share sets the size of the chunks that strings share until the next Reset. Set a larger one for
// results that are kept or dropped as a whole.
func (s *Scanner) Share(size int) { s.arena.chunk = size }

// Keep returns text as a string that stays valid. Texts of more than half a chunk get memory of
// their own. A chunk is never larger than what is left of the data could fill, because most bodies
// are smaller than one.
func (s *Scanner) Keep(text []byte) string {
	a := &s.arena
	if len(text) == 0 {
		return ""
	}
	if len(text) > a.chunk/2 {
		return string(text)
	}
	if a.current.Cap()-a.current.Len() < len(text) {
		a.current = strings.Builder{}
		a.current.Grow(max(len(text), min(a.chunk, (len(s.data)-s.pos+len(text))/2)))
	}
	start := a.current.Len()
	a.current.Write(text)
	return a.current.String()[start:]
}
