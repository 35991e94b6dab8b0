// Package sealed keeps values out of sight of package fmt, which looks into unexported fields and
// there asks no value how it wants to be printed: a secret in a struct of ours would show up when a
// host prints that struct, or one around it.
package sealed

// A Value is a T that no verb of fmt can print, wherever it stands. The zero Value holds the zero
// T.
type Value[T any] struct {
	open func() T // fmt prints a function as its address
}

// New seals v.
func New[T any](v T) Value[T] { return Value[T]{func() T { return v }} }

// Open returns what was sealed.
func (v Value[T]) Open() T {
	if v.open == nil {
		var zero T
		return zero
	}
	return v.open()
}
