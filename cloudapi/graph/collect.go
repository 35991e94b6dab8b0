package graph

import "iter"

// Collect reads a list to its end. On an error it returns that error and nothing else: half a list
// looks like a whole one. Walk through the list with range where it may be long.
func Collect[T any](list iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}
