package cloudapitest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// coerce rewrites a JSON value into the form that encoding/json takes for a type, as the Graph API
// takes a parameter in several: an object or a list as JSON within a string, a list of words with
// commas between them or in single quotes, a number for a string, a string for a number or a
// boolean. A value that fits in no way is returned as it is, and is refused when it is decoded.
//
// Of a struct, members with other names than its own are dropped. Unlike encoding/json, names are
// distinguished by case.
func coerce(value json.RawMessage, t reflect.Type) json.RawMessage {
	if t.Kind() == reflect.Pointer {
		if string(value) == "null" {
			return value
		}
		return coerce(value, t.Elem())
	}
	var text string
	quoted := json.Unmarshal(value, &text) == nil && string(value) != "null"
	switch {
	case quoted && structured(t):
		return coerceText(value, text, t)
	case t != rawMessageType && reflect.PointerTo(t).Implements(unmarshalerType):
		return value
	}
	switch t.Kind() {
	case reflect.Struct:
		return coerceStruct(value, t)
	case reflect.Map:
		return coerceMap(value, t)
	case reflect.Slice:
		return coerceList(value, t)
	case reflect.String:
		if !quoted && scalar(value) {
			return raw(string(value))
		}
	case reflect.Bool:
		switch strings.Trim(string(value), `"`) {
		case "true", "1":
			return json.RawMessage("true")
		case "false", "0":
			return json.RawMessage("false")
		}
	case reflect.Int, reflect.Int64, reflect.Float64:
		if quoted && scalar(json.RawMessage(text)) {
			return json.RawMessage(text)
		}
	}
	return value
}

var (
	rawMessageType  = reflect.TypeFor[json.RawMessage]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// structured reports whether values of a type are objects or lists.
func structured(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Map || t.Kind() == reflect.Slice
}

// scalar reports whether a value is a number or a boolean.
func scalar(value json.RawMessage) bool {
	value = bytes.TrimSpace(value)
	return len(value) > 0 && bytes.IndexByte([]byte(`"{[n`), value[0]) < 0 && json.Valid(value)
}

// coerceText rewrites a string where an object or a list is wanted. The single quotes are those of
// samples of Meta's, such as tasks=['MANAGE'].
func coerceText(value json.RawMessage, text string, t reflect.Type) json.RawMessage {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		for _, inner := range []string{text, strings.ReplaceAll(text, "'", `"`)} {
			if json.Valid([]byte(inner)) {
				return coerce(json.RawMessage(inner), t)
			}
		}
		return value
	}
	words := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String
	if !words || reflect.PointerTo(t).Implements(unmarshalerType) {
		return value
	}
	return raw(strings.FieldsFunc(text, func(r rune) bool { return r == ',' }))
}

// coerceStruct rewrites the members that the struct has.
func coerceStruct(value json.RawMessage, t reflect.Type) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil || members == nil {
		return value
	}
	own := map[string]json.RawMessage{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if inner, ok := members[name]; ok && name != "" && name != "-" {
			own[name] = coerce(inner, f.Type)
		}
	}
	return raw(own)
}

// coerceMap rewrites the values of a map.
func coerceMap(value json.RawMessage, t reflect.Type) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil || members == nil {
		return value
	}
	for name, inner := range members {
		members[name] = coerce(inner, t.Elem())
	}
	return raw(members)
}

// coerceList rewrites the elements of a list. To Go, a raw message is only a list of bytes.
func coerceList(value json.RawMessage, t reflect.Type) json.RawMessage {
	var elements []json.RawMessage
	if t == rawMessageType || json.Unmarshal(value, &elements) != nil || elements == nil {
		return value
	}
	for i, inner := range elements {
		elements[i] = coerce(inner, t.Elem())
	}
	return raw(elements)
}
