package cloudapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// WABAUpdateParams are the parameters of [WABAsService.Update]. What is nil stays as it is.
type WABAUpdateParams struct {
	Name       *string `json:"name,omitzero"`
	TimezoneID *string `json:"timezone_id,omitzero"` // Meta's number of a time zone

	// Insights switches template analytics on. It cannot be switched off again.
	Insights *bool `json:"is_enabled_for_insights,omitzero"`

	// DisableMarketing keeps marketing templates off Cloud API, so that they go through
	// [MessagesService.SendMarketing] only.
	DisableMarketing *bool `json:"disable_marketing_messages_on_cloud_api,omitzero"`
}

// Update changes settings of an account.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/whatsapp-business-accounts
//
// graph:POST /{waba-id}
func (s *WABAsService) Update(ctx context.Context, waba graph.WABAID, u WABAUpdateParams) error {
	if u == (WABAUpdateParams{}) {
		return invalid("the WABAUpdateParams changes nothing")
	}
	_, err := send[wabaUpdated](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}", ids: []string{string(waba)}, replay: RetryIdempotent,
	}, u)
	return err
}

// A wabaUpdated is a success, or the id of what was changed.
type wabaUpdated struct {
	ID      graph.WABAID `json:"id"`
	Success flexBool     `json:"success"`
}

func (w *wabaUpdated) incomplete() string {
	if w.ID == "" && !w.Success {
		return "Meta does not say that it succeeded"
	}
	return ""
}

// An Activity is a line of an account's audit log.
type Activity struct {
	ID          string          `json:"id"`
	Type        string          `json:"activity_type"` // such as "PHONE_NUMBER_ADDED"
	At          graph.Timestamp `json:"timestamp"`
	ActorType   string          `json:"actor_type"` // such as "USER" or "SYSTEM"
	ActorID     string          `json:"actor_id"`
	ActorName   string          `json:"actor_name"`
	Description string          `json:"description"` // for people
	Details     json.RawMessage `json:"details"`     // differs by type; nil if there are none
	IPAddress   string          `json:"ip_address"`  // of the actor; empty if Meta did not say
	UserAgent   string          `json:"user_agent"`
	Resource
}

// ActivityOptions are the options of [WABAsService.Activities].
type ActivityOptions struct {
	Since, Until time.Time // zero for no bound

	// Types narrow the list, such as "TEMPLATE_CREATED".
	Types []string

	// Limit is the size of a page. If zero, Meta's own, which is 25.
	Limit int
}

// Activities walks through the audit log of an account, newest first.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/whatsapp-business-accounts
//
// graph:GET /{waba-id}/activities
func (s *WABAsService) Activities(
	ctx context.Context, waba graph.WABAID, opts ActivityOptions,
) iter.Seq2[*Activity, error] {
	type options struct {
		Since string `url:"since,omitempty"`
		Until string `url:"until,omitempty"`
		Types string `url:"activity_type,omitempty"`
		Limit int    `url:"limit,omitempty"`
	}
	o := options{Types: strings.Join(opts.Types, ","), Limit: opts.Limit}
	if !opts.Since.IsZero() {
		o.Since = opts.Since.UTC().Format(time.RFC3339)
	}
	if !opts.Until.IsZero() {
		o.Until = opts.Until.UTC().Format(time.RFC3339)
	}
	return list[Activity](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/activities", ids: []string{string(waba)}, options: o,
	})
}

// A BusinessUserID names a person or system user of a business portfolio.
type BusinessUserID string

// An AssignedUser may work on an account.
type AssignedUser struct {
	ID       BusinessUserID `json:"id"`
	Name     string         `json:"name"`
	Type     string         `json:"user_type"` // tells people from system users
	Tasks    []string       `json:"tasks"`     // what the user may do, such as "MANAGE"
	Business BusinessInfo   `json:"business"`
	Resource
}

// AssignedUsers walks through the people and system users of a portfolio who may work on an
// account.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-system-users
//
// graph:GET /{waba-id}/assigned_users
func (s *WABAsService) AssignedUsers(
	ctx context.Context, waba graph.WABAID, business graph.BusinessID,
) iter.Seq2[*AssignedUser, error] {
	type options struct {
		Business graph.BusinessID `url:"business"`
	}
	return list[AssignedUser](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/assigned_users", ids: []string{string(waba)},
		options: options{business},
	})
}

// AssignUser lets a person or system user do tasks on an account, such as "MANAGE", or
// "MANAGE_TEMPLATES" and "MESSAGING".
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-system-users
//
// graph:POST /{waba-id}/assigned_users
func (s *WABAsService) AssignUser(
	ctx context.Context, waba graph.WABAID, user BusinessUserID, tasks ...string,
) error {
	var p problems
	p.needs("the user", string(user))
	if len(tasks) == 0 {
		p.missing("there is no task to assign")
	}
	if err := p.err(); err != nil {
		return err
	}
	list, err := encode(tasks)
	if err != nil {
		return err
	}
	_, err = post[success](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/assigned_users", ids: []string{string(waba)},
		replay: RetryIdempotent,
	}, url.Values{"user": {string(user)}, "tasks": {string(list)}})
	return err
}

// RemoveUser takes an account away from a person or system user.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-system-users
//
// graph:DELETE /{waba-id}/assigned_users
func (s *WABAsService) RemoveUser(ctx context.Context, waba graph.WABAID, user BusinessUserID) error {
	if user == "" {
		return invalid("the user is empty")
	}
	_, err := post[success](ctx, s.c, request{
		method: http.MethodDelete, path: "/{waba-id}/assigned_users", ids: []string{string(waba)},
		replay: RetryIdempotent,
	}, url.Values{"user": {string(user)}})
	return err
}
