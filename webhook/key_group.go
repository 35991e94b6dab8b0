package webhook

import "cmp"

// groupKey tells an event in a group by the request that caused it, the person's request that it is about, or its time.
func groupKey(ev Event, phone string) string {
	part := func(id, typ, request, join string) string {
		if id == "" && request == "" {
			return rawKey("group", phone, ev.base().Raw, string(ev.field()))
		}
		return key("group", phone, string(ev.field()), id, typ, cmp.Or(request, join, unix(ev.base().At)))
	}
	switch ev := ev.(type) {
	case *GroupLifecycleUpdate:
		return part(string(ev.Group), string(ev.Type), ev.RequestID, "")
	case *GroupParticipantsUpdate:
		return part(string(ev.Group), string(ev.Type), ev.RequestID, ev.JoinRequestID)
	case *GroupSettingsUpdate:
		return part(string(ev.Group), string(ev.Type), ev.RequestID, "")
	case *GroupStatusUpdate:
		return part(string(ev.Group), string(ev.Type), ev.RequestID, "")
	default:
		return ""
	}
}

// templateKey tells an event about a template by what happened and when. Ids name a template in one language.
func templateKey(t Template, e entry, more ...string) string {
	if t.TemplateID == "" {
		return ""
	}
	return key("template", append([]string{string(t.TemplateID), unix(e.time.Time)}, more...)...)
}
