package cloudapitest

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// phoneState is what a number keeps beside being a number.
type phoneState struct {
	profile    map[string]json.RawMessage
	settings   map[string]json.RawMessage
	automation json.RawMessage
	username   string
	key        string
	blocked    []graph.Identity
	callable   map[string]callPermission // by person
	newName    string
	hidden     bool // from WhatsApp's search
}

// more returns the state of a number, which is made when it is first needed.
func (p *phone) more() *phoneState {
	if p.state == nil {
		p.state = &phoneState{
			profile: map[string]json.RawMessage{}, callable: map[string]callPermission{},
			settings: map[string]json.RawMessage{
				"calling":               raw(map[string]string{"status": "DISABLED"}),
				"storage_configuration": raw(map[string]string{"status": "DEFAULT"}),
			},
		}
	}
	return p.state
}

// listed answers with one object in a list, as some reads do.
func listed[T any](v T) reply {
	return ok(struct {
		Data []T `json:"data"`
	}{[]T{v}})
}

// getProfile answers with the profile in a list. Members that were never set are left out.
func (s *Server) getProfile(c *call) reply {
	n := maps.Clone(c.phone.more().profile)
	n["messaging_product"] = raw("whatsapp")
	return listed(n)
}

// postProfile changes members of the profile. A picture must have been uploaded before; its URL,
// which a read then shows, leads nowhere. Members are set as they come: a request that breaks a
// rule may have changed some.
func (s *Server) postProfile(c *call) reply {
	limits := map[string]int{"about": 139, "address": 256, "description": 512, "email": 128}
	for name, value := range c.members() {
		var text string
		if limit, ok := limits[name]; ok {
			if json.Unmarshal(value, &text) != nil || len([]rune(text)) > limit {
				return refuse(invalid("%s must be at most %d characters long", name, limit))
			}
		}
		switch name {
		case "messaging_product":
		case "profile_picture_handle":
			var handle graph.UploadHandle
			if json.Unmarshal(value, &handle) != nil || !s.handles[handle] {
				return refuse(invalid("profile_picture_handle is not a handle of a resumable upload"))
			}
			c.phone.more().profile["profile_picture_url"] = raw("https://pps.whatsapp.net/made-up")
		case "about", "address", "description", "email", "websites", "vertical":
			c.phone.more().profile[name] = coerce(value, rawMessageType)
		default:
			return refuse(unexpectedKey(name))
		}
	}
	return success
}

// getSettings answers with all groups of settings.
func (s *Server) getSettings(c *call) reply { return ok(c.phone.more().settings) }

// postSettings replaces one group of settings as a whole. What is in it is not checked.
func (s *Server) postSettings(c *call) reply {
	members := c.members()
	delete(members, "messaging_product")
	if len(members) != 1 {
		return refuse(invalid("One group of settings can be changed in a call"))
	}
	for name, value := range members {
		switch name {
		case "calling", "user_identity_change", "payload_encryption", "storage_configuration":
			c.phone.more().settings[name] = coerce(value, rawMessageType)
		default:
			return refuse(unexpectedKey(name))
		}
	}
	return success
}

// postAutomation replaces the ice breakers and commands.
func (s *Server) postAutomation(c *call) reply {
	var a cloudapi.Automation
	if err := decode(c.params, &a); err != nil {
		return refuse(err)
	}
	if len(a.Prompts) > 4 || len(a.Commands) > 30 {
		return refuse(invalid("there are at most 4 prompts and 30 commands"))
	}
	c.phone.more().automation = raw(a)
	return success
}

// getUsername answers with an empty object for a number without a username.
func (s *Server) getUsername(c *call) reply {
	return ok(struct {
		Name   string `json:"username,omitzero"`
		Status string `json:"status,omitzero"`
	}{c.phone.more().username, map[bool]string{true: "", false: "approved"}[c.phone.more().username == ""]})
}

// postUsername claims a name, which is approved at once. A name of another number is refused, or
// taken from it with force_transfer. Upper and lower case are the same name.
func (s *Server) postUsername(c *call) reply {
	name := strings.ToLower(c.get("username"))
	if name == "" {
		return refuse(missing("username"))
	}
	for _, other := range s.phones {
		if other != c.phone && other.more().username == name && c.get("transfer_action") != "force_transfer" {
			return refuse(invalid("username is taken"))
		}
		if other != c.phone && other.more().username == name {
			other.more().username = ""
		}
	}
	c.phone.more().username = name
	return ok200("status", "approved")
}

// deleteUsername gives the name up.
func (s *Server) deleteUsername(c *call) reply {
	c.phone.more().username = ""
	return success
}

// usernameSuggestions are made of the number's name, and not checked for being free.
func (s *Server) usernameSuggestions(c *call) reply {
	base := strings.ToLower(strings.ReplaceAll(c.phone.Name, " ", "."))
	return listed(map[string][]string{"username_suggestions": {base, base + ".one"}})
}

// getKey answers with an empty list for a number without a key.
func (s *Server) getKey(c *call) reply {
	if c.phone.more().key == "" {
		return ok(struct {
			Data []string `json:"data"`
		}{[]string{}})
	}
	return listed(struct {
		Key    string `json:"business_public_key"`
		Status string `json:"business_public_key_signature_status"`
	}{c.phone.more().key, "VALID"})
}

// postKey takes whatever says that it is a public key, and calls it valid.
func (s *Server) postKey(c *call) reply {
	if !strings.HasPrefix(c.get("business_public_key"), "-----BEGIN PUBLIC KEY-----") {
		return refuse(invalid("business_public_key is not a public key in PEM"))
	}
	c.phone.more().key = c.get("business_public_key")
	return success
}
