package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// A Decoder reads JSON objects into structs of type T, by their json tags. Fields without a tag are
// left alone; embedded structs without a tag count as if their fields stood in their place. Members
// without a field are reported as unknown.
type Decoder[T any] struct {
	plan *plan
}

// For returns the decoder for T. It panics if a tagged field has a type that no JSON can be read
// into.
func For[T any]() Decoder[T] { return Decoder[T]{planFor(reflect.TypeFor[T](), nil)} }

// Decode reads the next value into v. What v held before is gone, even if the value is null.
func (d Decoder[T]) Decode(s *Scanner, v *T) {
	d.plan.decode(s, reflect.ValueOf(v).Elem())
}

// New is Decode into a new T; nil for null.
func (d Decoder[T]) New(s *Scanner) *T {
	if s.Kind() == KindNull {
		s.Skip()
		return nil
	}
	v := new(T)
	d.Decode(s, v)
	return v
}

// maxElements is how many elements a list has at most. Meta's have dozens; elements without members
// grow a hundredfold in memory.
const maxElements = 10_000

// tooLong is the mismatch of a list with more elements.
const tooLong = "more elements than any list of Meta's has"

// List reads an array of objects; nil for null. Elements that are null are empty structs, and those
// after maxElements are skipped and reported as a mismatch.
func (d Decoder[T]) List(s *Scanner) []T {
	var list []T
	if s.Array() {
		for s.NextElement() {
			if len(list) == maxElements {
				s.Refuse(tooLong)
				s.Skip()
				continue
			}
			var v T
			d.Decode(s, &v)
			list = append(list, v)
		}
	}
	return list
}

// A plan maps the members of an object to the fields of a struct.
type plan struct {
	fields map[string]field
}

// A field is one field of a struct: where it is, by [reflect.Value.FieldByIndex], and how it is
// read.
type field struct {
	index []int
	read  reader
}

// A reader reads the next value into v, which may hold an earlier value and is replaced as a whole.
type reader func(s *Scanner, v reflect.Value)

// decode reads the next value into v, which it empties first. Members without a field are reported
// as unknown.
func (p *plan) decode(s *Scanner, v reflect.Value) {
	v.SetZero()
	if !s.Object() {
		return
	}
	for s.NextMember() {
		f, ok := p.fields[string(s.Name())]
		if !ok {
			s.Unknown()
			continue
		}
		if len(f.index) == 1 {
			f.read(s, v.Field(f.index[0]))
		} else {
			f.read(s, v.FieldByIndex(f.index))
		}
	}
}

// planFor makes the plan of a struct type. outer holds the types around it, because a type that
// contains itself would nest without end.
func planFor(t reflect.Type, outer []reflect.Type) *plan {
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("wire: %v is not a struct", t))
	}
	for _, o := range outer {
		if o == t {
			panic(fmt.Sprintf("wire: %v contains itself", t))
		}
	}
	outer = append(outer[:len(outer):len(outer)], t)
	p := &plan{fields: make(map[string]field)}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		if _, twice := p.fields[name]; twice {
			panic(fmt.Sprintf("wire: %v has two fields named %q", t, name))
		}
		p.fields[name] = field{f.Index, readerFor(f.Type, outer)}
	}
	return p
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// isTime reports whether t is a struct around one time.Time, such as graph.Timestamp.
func isTime(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Anonymous && t.Field(0).Type == timeType
}

// readerFor returns the reader of a type. It panics for types into which no JSON can be read, so
// that a wrong field is found when the program starts and not when Meta sends it.
func readerFor(t reflect.Type, outer []reflect.Type) reader {
	if isTime(t) {
		return func(s *Scanner, v reflect.Value) { *v.Field(0).Addr().Interface().(*time.Time) = s.Time() }
	}
	if t == rawType {
		return func(s *Scanner, v reflect.Value) { v.SetBytes(s.Raw()) }
	}
	switch t.Kind() {
	case reflect.String:
		return func(s *Scanner, v reflect.Value) { v.SetString(s.Text()) }
	case reflect.Int, reflect.Int64:
		return readInt
	case reflect.Float64:
		return func(s *Scanner, v reflect.Value) { v.SetFloat(s.Float()) }
	case reflect.Bool:
		return func(s *Scanner, v reflect.Value) { v.SetBool(s.Bool()) }
	case reflect.Struct:
		return planFor(t, outer).decode
	case reflect.Pointer:
		return pointerReader(t.Elem(), outer)
	case reflect.Slice:
		return sliceReader(t.Elem(), outer)
	case reflect.Map:
		if t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String {
			return mapReader(t, outer)
		}
	}
	panic(fmt.Sprintf("wire: cannot read JSON into %v", t))
}

// readInt reads an integer into a field of type int or int64. An int has 32 bits on some machines:
// a larger number is a mismatch there, never cut.
func readInt(s *Scanner, v reflect.Value) {
	start := s.Mark()
	n := s.Int()
	if v.Kind() == reflect.Int && (n > math.MaxInt || n < math.MinInt) {
		s.wrong(start, "a smaller number")
		return
	}
	v.SetInt(n)
}

// pointerReader returns the reader of an optional field, which is nil for null. A later duplicate
// is a new value: nothing of the earlier one is merged into it.
func pointerReader(t reflect.Type, outer []reflect.Type) reader {
	read := readerFor(t, outer)
	return func(s *Scanner, v reflect.Value) {
		if s.Kind() == KindNull {
			s.Skip()
			v.SetZero()
			return
		}
		p := reflect.New(t)
		read(s, p.Elem())
		v.Set(p)
	}
}

// sliceReader returns the reader of a list; nil for null. Elements after maxElements are skipped
// and reported as a mismatch.
func sliceReader(t reflect.Type, outer []reflect.Type) reader {
	read := readerFor(t, outer)
	return func(s *Scanner, v reflect.Value) {
		v.SetZero()
		if !s.Array() {
			return
		}
		list := reflect.New(v.Type()).Elem()
		for s.NextElement() {
			if list.Len() == maxElements {
				s.Refuse(tooLong)
				s.Skip()
				continue
			}
			list.Grow(1)
			list.SetLen(list.Len() + 1)
			read(s, list.Index(list.Len()-1))
		}
		v.Set(list)
	}
}

// mapReader returns the reader of a map of texts, whose names Meta's customers choose. Objects and
// lists among the values are reported as unknown. An empty list counts as an empty map: PHP writes
// both in the same way.
func mapReader(t reflect.Type, outer []reflect.Type) reader {
	read := readerFor(t.Elem(), outer)
	return func(s *Scanner, v reflect.Value) {
		v.SetZero()
		if s.emptyArray() || !s.Object() {
			return
		}
		m := reflect.MakeMap(t)
		for s.NextMember() {
			if k := s.Kind(); k == KindObject || k == KindArray {
				s.Unknown()
				continue
			}
			key := reflect.New(t.Key()).Elem()
			key.SetString(string(s.Name()))
			value := reflect.New(t.Elem()).Elem()
			read(s, value)
			m.SetMapIndex(key, value)
		}
		v.Set(m)
	}
}

// emptyArray reads the next value if it is an array without elements, and reports whether it was.
func (s *Scanner) emptyArray() bool {
	if s.Kind() != KindArray {
		return false
	}
	var copied Scanner
	copied.Reset(s.Rest())
	if !copied.Array() || copied.NextElement() {
		return false
	}
	s.Skip()
	return s.err == nil
}
