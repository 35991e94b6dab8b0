package webhook

import (
	"cmp"
	"strconv"
)

// groupKey tells an event in a group by the request that caused it, the person's request that it is
// about, or its time; and by the people: several can join within a second, and one request can
// succeed for some of them and fail for others.
func groupKey(ev Event, phone string) string {
	part := func(id, typ, request, join string, more ...string) string {
		if id == "" && request == "" {
			return rawKey("group", phone, ev.base().Raw, string(ev.field()))
		}
		parts := []string{phone, string(ev.field()), id, typ, cmp.Or(request, join, unix(ev.base().At))}
		return key("group", append(parts, more...)...)
	}
	switch ev := ev.(type) {
	case *GroupLifecycleUpdate:
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, "")
	case *GroupParticipantsUpdate:
		var people []string
		for _, list := range [][]GroupParticipant{ev.Added, ev.Removed, ev.Failed} {
			people = append(people, strconv.Itoa(len(list)))
			for _, p := range list {
				people = append(people, cmp.Or(p.Identity.Key(), p.Input))
			}
		}
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, ev.JoinRequestID, people...)
	case *GroupSettingsUpdate:
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, "")
	case *GroupStatusUpdate:
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, "")
	default:
		return ""
	}
}

// templateKey tells an event about a template by what happened and when. Ids name a template in one
// language.
func templateKey(t Template, e entry, more ...string) string {
	if t.TemplateID == "" {
		return ""
	}
	return key("template", append([]string{string(t.TemplateID), unix(e.time)}, more...)...)
}
