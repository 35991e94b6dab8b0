// Package opaque hides values from package fmt.
//
// A type whose String or Format method redacts is safe only where fmt may call that method. For an
// unexported field it may not, and prints the bare value: a secret inside a struct of ours would
// appear when a host prints that struct, or one around it.
package opaque

// A Value holds a T that no verb of fmt prints, in whatever struct it stands. The zero Value holds
// the zero T. It hides, and does not encrypt.
type Value[T any] struct {
	reveal func() T // fmt prints a function as its address
}

// New returns a Value that holds v.
func New[T any](v T) Value[T] { return Value[T]{func() T { return v }} }

// Reveal returns what v holds.
func (v Value[T]) Reveal() T {
	if v.reveal == nil {
		var zero T
		return zero
	}
	return v.reveal()
}
