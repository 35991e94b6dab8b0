// Package mementotest looks at everything that a pointer leads to and changes it, unexported
// members included, to prove that a restored simulator of WhatsApp is as it was: a member that a
// snapshot forgets, or shares with what goes on, is found without a test of its own.
package mementotest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// A Rule says how a member of a struct is treated that never changes once it is made.
type Rule int

const (
	Skip Rule = iota + 1 // neither it nor what it leads to is part of the state
	Stay                 // it stays, and what it points to is part of the state
)

// Rules are those of members, by names such as "coexistencetest.Customer.phone". All other members
// are part of the state.
type Rules map[string]Rule

// machinery are types of the standard library that hold no state of ours. The source of a
// [math/rand/v2.Rand] is a member of its own.
var machinery = []string{
	"sync.Mutex", "sync.Cond", "sync.WaitGroup", "time.Timer", "rand.Rand",
}

// member returns a member of an addressable struct that can be set, and its rule.
func (r Rules) member(v reflect.Value, i int) (reflect.Value, Rule) {
	f := v.Field(i)
	rule := r[v.Type().String()+"."+v.Type().Field(i).Name]
	t := f.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if slices.Contains(machinery, t.String()) || t.Kind() == reflect.Func || t.Kind() == reflect.Chan {
		rule = Skip
	}
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem(), rule //nolint:gosec // tests alone
}

// addressable returns a copy that can be set.
func addressable(v reflect.Value) reflect.Value {
	own := reflect.New(v.Type()).Elem()
	own.Set(v)
	return own
}

// timeType is the type whose members are not looked at: a time with and without a monotonic reading
// is the same.
var timeType = reflect.TypeFor[time.Time]()

// isBytes reports whether a value is bytes, which are replaced and never changed in place.
func isBytes(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8
}

// Dump writes all that the roots lead to. Two states with the same dump are the same: pointers are
// numbered in the order in which they are met, and an empty list is none.
func Dump(rules Rules, roots ...any) string {
	d := &dumper{rules: rules, seen: map[unsafe.Pointer]int{}}
	for _, root := range roots {
		d.value(reflect.ValueOf(root), "")
	}
	return d.out.String()
}

// A dumper writes a line for each scalar, with the way that leads to it.
type dumper struct {
	rules Rules
	out   strings.Builder
	seen  map[unsafe.Pointer]int
}

func (d *dumper) line(path, format string, args ...any) {
	d.out.WriteString(path + " = " + fmt.Sprintf(format, args...) + "\n")
}

// value writes a value and what it leads to.
func (d *dumper) value(v reflect.Value, path string) {
	switch {
	case v.Kind() == reflect.Pointer:
		d.pointer(v, path)
	case v.Kind() == reflect.Interface:
		if !v.IsNil() {
			d.value(addressable(v.Elem()), path)
		}
	case v.Type() == timeType:
		t := v.Interface().(time.Time)
		d.line(path, "%d", t.UnixNano())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f, rule := d.rules.member(v, i)
			if rule != Skip {
				d.value(f, path+"."+v.Type().Field(i).Name)
			}
		}
	case isBytes(v):
		d.line(path, "%q", v.Bytes())
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			d.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case v.Kind() == reflect.Map:
		for _, key := range keys(v) {
			d.value(addressable(v.MapIndex(key)), fmt.Sprintf("%s[%s]", path, text(key)))
		}
	default:
		d.line(path, "%s", text(v))
	}
}

func (d *dumper) pointer(v reflect.Value, path string) {
	if v.IsNil() {
		return
	}
	at := v.UnsafePointer()
	if n, known := d.seen[at]; known {
		d.line(path, "#%d", n)
		return
	}
	d.seen[at] = len(d.seen)
	d.line(path, "#%d:", d.seen[at])
	d.value(v.Elem(), path)
}

// keys returns the keys of a map in an order that does not change.
func keys(v reflect.Value) []reflect.Value {
	list := v.MapKeys()
	slices.SortFunc(list, func(a, b reflect.Value) int {
		return strings.Compare(text(a), text(b))
	})
	return list
}

// text is a scalar as text, also one whose type hides it.
func text(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return v.String()
	}
	return fmt.Sprint(v)
}

// Fill puts something into every empty list and map of plain values that the roots lead to, so that
// there is something to spoil.
func Fill(rules Rules, roots ...any) {
	c := &changer{rules: rules, seen: map[unsafe.Pointer]bool{}, leaf: fill}
	for _, root := range roots {
		c.value(reflect.ValueOf(root))
	}
}

// fill puts an entry into an empty list or map. Values that point elsewhere cannot be made up.
func fill(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Slice && v.Len() == 0 && plain(v.Type().Elem()):
		v.Set(reflect.MakeSlice(v.Type(), 1, 4))
	case v.Kind() == reflect.Map && v.Len() == 0 && plain(v.Type().Elem()):
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		v.Set(m)
	default:
	}
}

// plain reports whether values of a type point to nothing but bytes.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Func, reflect.Chan:
		return false
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	case reflect.Struct:
		for field := range t.Fields() {
			if t != timeType && !plain(field.Type) {
				return false
			}
		}
	default:
	}
	return true
}

// Spoil changes every value that the roots lead to, in place: scalars get another value, lists and
// maps lose an entry after all of them were changed, and pointers lead to something else after what
// they lead to was changed.
func Spoil(rules Rules, roots ...any) {
	c := &changer{rules: rules, seen: map[unsafe.Pointer]bool{}, leaf: spoil}
	for _, root := range roots {
		c.value(reflect.ValueOf(root))
	}
}

// spoil gives a value that has been walked through another value.
func spoil(v reflect.Value) {
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Hour)))
	case isBytes(v):
		v.SetBytes(append(slices.Clone(v.Bytes()), 'x'))
	case v.Kind() == reflect.Slice && v.Len() > 0:
		v.Set(v.Slice(0, v.Len()-1))
	case v.Kind() == reflect.Map && v.Len() > 0:
		v.SetMapIndex(keys(v)[0], reflect.Value{})
	case v.Kind() == reflect.Pointer && !v.IsNil():
		v.Set(reflect.New(v.Type().Elem()))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.CanUint():
		v.SetUint(v.Uint() + 1)
	case v.CanFloat():
		v.SetFloat(v.Float() + 1)
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	default:
	}
}

// A changer walks through everything and calls leaf with each value that can be set, after what it
// leads to.
type changer struct {
	rules Rules
	seen  map[unsafe.Pointer]bool
	leaf  func(reflect.Value)
}

// value changes what a value leads to.
func (c *changer) value(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() && !c.seen[v.UnsafePointer()] {
			c.seen[v.UnsafePointer()] = true
			c.value(v.Elem())
			if v.Elem().Kind() != reflect.Struct {
				c.leaf(v.Elem())
			}
		}
	case v.Kind() == reflect.Interface:
		if !v.IsNil() {
			c.value(addressable(v.Elem()))
		}
	case v.Type() == timeType, isBytes(v):
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f, rule := c.rules.member(v, i)
			if rule == Skip {
				continue
			}
			c.value(f)
			if rule != Stay {
				c.leaf(f)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			c.value(v.Index(i))
			c.leaf(v.Index(i))
		}
	case v.Kind() == reflect.Map:
		for _, key := range keys(v) {
			own := addressable(v.MapIndex(key))
			c.value(own)
			c.leaf(own)
			v.SetMapIndex(key, own)
		}
	default:
	}
}
