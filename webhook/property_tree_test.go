package webhook_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A treeNode is a JSON value that keeps what a map would lose: the order of members, duplicates,
// and how a number is written.
type treeNode struct {
	kind    byte // '{', '[' or 0
	scalar  string
	members []treeMember
	items   []*treeNode
}

type treeMember struct {
	name  string
	value *treeNode
}

// newTree parses a sample.
func newTree(t require.TestingT, body []byte) *treeNode {
	n, err := readTree(newDecoder(body))
	require.NoError(t, err)
	return n
}

func readTree(dec *json.Decoder) (*treeNode, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	open, isDelim := tok.(json.Delim)
	if !isDelim {
		return scalarNode(tok), nil
	}
	n := &treeNode{kind: byte(open)}
	for dec.More() {
		var name json.Token
		if open == '{' {
			if name, err = dec.Token(); err != nil {
				return nil, err
			}
		}
		child, err := readTree(dec)
		if err != nil {
			return nil, err
		}
		if open == '{' {
			n.members = append(n.members, treeMember{name.(string), child})
		} else {
			n.items = append(n.items, child)
		}
	}
	_, err = dec.Token()
	return n, err
}

func scalarNode(v any) *treeNode {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // scalars always encode
	}
	return &treeNode{scalar: string(b)}
}

func (n *treeNode) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *treeNode) write(b *strings.Builder) {
	switch n.kind {
	case '{':
		b.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Quote(m.name) + ":")
			m.value.write(b)
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	default:
		b.WriteString(n.scalar)
	}
}

func (n *treeNode) clone() *treeNode {
	c := *n
	c.members, c.items = slices.Clone(n.members), slices.Clone(n.items)
	for i := range c.members {
		c.members[i].value = c.members[i].value.clone()
	}
	for i := range c.items {
		c.items[i] = c.items[i].clone()
	}
	return &c
}

func (n *treeNode) member(name string) *treeNode {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return new(treeNode)
}

// A treeSpot is a member of an object in a tree.
type treeSpot struct {
	in    *treeNode
	index int
	path  string
}

func (s treeSpot) value() *treeNode { return s.in.members[s.index].value }

// spots returns all members of all objects in n.
func (n *treeNode) spots(path string) []treeSpot {
	var all []treeSpot
	for i, m := range n.members {
		path := path + "." + m.name
		all = append(all, treeSpot{n, i, path})
		all = append(all, m.value.spots(path)...)
	}
	for i, item := range n.items {
		all = append(all, item.spots(fmt.Sprintf("%s[%d]", path, i))...)
	}
	return all
}

// The changes that a member can meet. Each changes the tree and says whether it applied.

func remove(s treeSpot) bool {
	s.in.members = slices.Delete(s.in.members, s.index, s.index+1)
	return true
}

func nullify(s treeSpot) bool {
	s.in.members[s.index].value = &treeNode{scalar: "null"}
	return true
}

// swapKind turns a number into a string and a string of digits into a number.
func swapKind(s treeSpot) bool {
	old := s.value()
	digits, quoted := strings.CutPrefix(old.scalar, `"`)
	digits = strings.TrimSuffix(digits, `"`)
	switch {
	case old.kind != 0 || digits == "" || digits[0] == '0' && len(digits) > 1 ||
		strings.Trim(digits, "0123456789") != "":
		return false
	case quoted:
		s.in.members[s.index].value = &treeNode{scalar: digits}
	default:
		s.in.members[s.index].value = &treeNode{scalar: `"` + digits + `"`}
	}
	return true
}

const novelty = "zq-novelty"

// addBeside adds a member that no reader knows.
func addBeside(s treeSpot) bool {
	s.in.members = slices.Insert(s.in.members, s.index,
		treeMember{"zq_member", &treeNode{scalar: `{"a":["` + novelty + `",null]}`}})
	return true
}

// duplicate puts a member of the same name before the member, with as much in it and other values,
// which a reader has to forget again.
func duplicate(s treeSpot) bool {
	earlier := s.value().otherwise("")
	if earlier.String() == s.value().String() {
		return false
	}
	s.in.members = slices.Insert(s.in.members, s.index, treeMember{s.in.members[s.index].name, earlier})
	return true
}

// otherwise returns n with another value in each place, but for types: they say what the rest is.
func (n *treeNode) otherwise(name string) *treeNode {
	c := n.clone()
	for i, m := range c.members {
		c.members[i].value = m.value.otherwise(m.name)
	}
	for i, item := range c.items {
		c.items[i] = item.otherwise("")
	}
	if n.kind == 0 && name != "type" && n.scalar != "null" {
		var v any
		dec := json.NewDecoder(strings.NewReader(n.scalar))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			panic(err) // a tree holds JSON
		}
		return scalarNode(likewise(v)[0])
	}
	return c
}

// typedView prints what the typed members of events hold, without raw bytes, keys and unknown
// members.
func typedView(events []webhook.Event) []string {
	var lines []string
	for _, ev := range events {
		lines = append(lines, typedText(reflect.ValueOf(ev)))
		if c, ok := ev.(*webhook.HistoryChunk); ok {
			lines = append(lines, typedText(reflect.ValueOf(c.Threads())))
		}
	}
	return lines
}

func typedText(v reflect.Value) string {
	if v.Type() == timeType {
		return describe(v)
	}
	var b strings.Builder
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		if v.Kind() == reflect.Interface {
			return v.Elem().Type().String() + typedText(v.Elem())
		}
		return typedText(v.Elem())
	case reflect.Struct:
		b.WriteString(v.Type().Name())
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Name != "DedupKey" && f.Name != "Place" && f.Type != bytesType &&
				f.Type != reflect.TypeFor[[]webhook.UnknownMember]() {
				fmt.Fprintf(&b, " %s:%s", f.Name, typedText(v.Field(i)))
			}
		}
		return "{" + b.String() + "}"
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes())
		}
		for i := range v.Len() {
			b.WriteString(typedText(v.Index(i)) + ",")
		}
		return "[" + b.String() + "]"
	}
	return fmt.Sprint(v.Interface())
}

func mustDecode(t *testing.T, body string) []webhook.Event {
	t.Helper()
	events, err := webhook.Decode([]byte(body))
	require.NoError(t, err, body)
	return events
}
