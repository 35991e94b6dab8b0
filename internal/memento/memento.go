// Package memento keeps values as they are and puts them back where they were, so that a pointer to
// one of them is good before and after. The simulator of WhatsApp makes its snapshots with it.
package memento

import "reflect"

// A Memento is values as they were. The zero Memento holds none. It may be restored as often as
// wanted; it is not safe for concurrent use, and the caller guards the values.
type Memento struct {
	restore []func()
}

// Keep keeps a copy of what place points to. clone returns a copy that shares nothing with its
// argument that is ever changed in place; it is called again for each restore.
func Keep[T any](m *Memento, place *T, clone func(T) T) {
	was := clone(*place)
	m.restore = append(m.restore, func() { *place = clone(was) })
}

// Restore puts everything back.
func (m *Memento) Restore() {
	for _, put := range m.restore {
		put()
	}
}

// Plain is the clone of a value in which nothing is changed but its own members.
func Plain[T any](v T) T { return v }

// Deep is the clone of a value of exported members, all that they lead to included. What unexported
// members lead to is shared.
func Deep[T any](v T) T {
	deepen(reflect.ValueOf(&v).Elem())
	return v
}

// deepen puts copies in place of what v leads to.
func deepen(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		own := reflect.New(v.Elem().Type())
		own.Elem().Set(v.Elem())
		deepen(own.Elem())
		if v.Kind() == reflect.Interface {
			own = own.Elem()
		}
		v.Set(own)
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		for i := range own.Len() {
			deepen(own.Index(i))
		}
		v.Set(own)
	case reflect.Map:
		if v.IsNil() {
			return
		}
		own := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, value := range v.Seq2() {
			at := reflect.New(value.Type()).Elem()
			at.Set(value)
			deepen(at)
			own.SetMapIndex(key, at)
		}
		v.Set(own)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				deepen(field)
			}
		}
	default: // a scalar is its own copy
	}
}
