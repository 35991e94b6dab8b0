package coexistence

import (
	"slices"
	"sort"
)

// Ranges is a set of chunk numbers: ascending ranges that neither overlap nor touch, so that a
// history of thousands of chunks takes a few bytes.
type Ranges []Range

// A Range is the numbers from First to Last, both included.
type Range struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// Contains reports whether n is in the set.
func (r Ranges) Contains(n int) bool {
	i := r.search(n)
	return i < len(r) && r[i].First <= n
}

// Len returns how many numbers are in the set.
func (r Ranges) Len() int {
	n := 0
	for _, x := range r {
		n += x.Last - x.First + 1
	}
	return n
}

// Gaps returns what is missing from the set: between its ranges, and before the first one if that
// begins above 1. Meta counts chunks from 1, or from 0 as some say, so that a missing 0 is no gap.
func (r Ranges) Gaps() Ranges {
	var gaps Ranges
	next := 1
	for _, x := range r {
		if x.First > next {
			gaps = append(gaps, Range{next, x.First - 1})
		}
		next = max(next, x.Last+1)
	}
	return gaps
}

// search returns the index of the first range that ends at n or later.
func (r Ranges) search(n int) int {
	return sort.Search(len(r), func(i int) bool { return r[i].Last >= n })
}

// with returns the set with n, which joins the ranges before and behind it where they touch. It
// leaves r alone, as states are values.
func (r Ranges) with(n int) Ranges {
	i := r.search(n)
	if i < len(r) && r[i].First <= n {
		return r
	}
	set := slices.Clone(r)
	joinsPrev := i > 0 && set[i-1].Last == n-1
	joinsNext := i < len(set) && set[i].First == n+1
	switch {
	case joinsPrev && joinsNext:
		set[i-1].Last = set[i].Last
		return slices.Delete(set, i, i+1)
	case joinsPrev:
		set[i-1].Last = n
		return set
	case joinsNext:
		set[i].First = n
		return set
	}
	return slices.Insert(set, i, Range{n, n})
}
