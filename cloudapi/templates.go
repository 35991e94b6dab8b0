package cloudapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A TemplatesService makes and keeps the templates of an account, which [Template] messages name.
// Meta reviews each; the verdict arrives as a webhook of the field message_template_status_update.
type TemplatesService service

// TemplateListOptions are the options of [TemplatesService.List]. Empty members do not narrow the
// list.
type TemplateListOptions struct {
	Name     string                 `url:"name,omitempty"`    // also parts of names
	Content  string                 `url:"content,omitempty"` // words of the text
	Language string                 `url:"language,omitempty"`
	Status   TemplateStatus         `url:"status,omitempty"`
	Category graph.TemplateCategory `url:"category,omitempty"`

	// Fields are the fields to ask for. If empty, those that every version knows.
	Fields []string `url:"fields,comma,omitempty"`

	// Limit is the size of a page. If zero, Meta's own, which is 25.
	Limit int `url:"limit,omitempty"`
}

var templateFields = []string{
	"id", "name", "status", "category", "language", "components", "quality_score", "rejected_reason",
	"parameter_format", "previous_category",
}

// List walks through the templates of an account, one entry for each language, and fetches page
// after page as it goes.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
//
// graph:GET /{waba-id}/message_templates
func (s *TemplatesService) List(
	ctx context.Context, waba graph.WABAID, opts TemplateListOptions,
) iter.Seq2[*MessageTemplate, error] {
	if len(opts.Fields) == 0 {
		opts.Fields = templateFields
	}
	return list[MessageTemplate](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/message_templates", ids: []string{string(waba)}, options: opts,
	})
}

// Get reads a template in one language.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
//
// graph:GET /{template-id}
func (s *TemplatesService) Get(ctx context.Context, id graph.TemplateID) (*MessageTemplate, error) {
	return call[MessageTemplate](ctx, s.c, request{
		method: http.MethodGet, path: "/{template-id}", ids: []string{string(id)},
		options: fieldsOption{templateFields},
	})
}

// A TemplateCreateResult is a template as Meta took it.
type TemplateCreateResult struct {
	ID     graph.TemplateID `json:"id"`
	Status TemplateStatus   `json:"status"`

	// Category is not always the one that was asked for: Meta may choose another, which can cost
	// more.
	Category graph.TemplateCategory `json:"category"`

	// Language is set by [TemplatesService.UpsertAuthentication].
	Language string `json:"language"`

	Resource
}

func (t *TemplateCreateResult) incomplete() string { return withoutID(t.ID) }

// Create hands a template in for review. 100 can be made in an hour and account. It is not repeated
// blindly; after [OutcomeUnknown] look for the name in the list.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
//
// graph:POST /{waba-id}/message_templates
func (s *TemplatesService) Create(
	ctx context.Context, waba graph.WABAID, t TemplateCreateParams,
) (*TemplateCreateResult, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	return send[TemplateCreateResult](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/message_templates", ids: []string{string(waba)},
	}, t)
}

// TemplateFromLibraryParams are the parameters of [TemplatesService.CreateFromLibrary]. Meta
// approves such a template at once.
type TemplateFromLibraryParams struct {
	// Name is that of the new template. All three are required.
	Name     string                 `json:"name"`     // lower-case letters, digits and underscores
	Language string                 `json:"language"` // such as "en_US"
	Category graph.TemplateCategory `json:"category"`

	// Library is its name in the library, see [TemplatesService.Library].
	Library string `json:"library_template_name"`

	// Buttons and Body fill in what the library leaves open; JSON in Meta's form, or nil.
	Buttons json.RawMessage `json:"library_template_button_inputs,omitempty"`
	Body    json.RawMessage `json:"library_template_body_inputs,omitempty"`
}

// CreateFromLibrary makes a template of Meta's library one of the account.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-library
//
// graph:POST /{waba-id}/message_templates library_template_name
func (s *TemplatesService) CreateFromLibrary(
	ctx context.Context, waba graph.WABAID, t TemplateFromLibraryParams,
) (*TemplateCreateResult, error) {
	p := problems{}
	checkTemplateName(&p, "TemplateFromLibraryParams", t.Name, t.Language, t.Category)
	p.needs("TemplateFromLibraryParams.Library", t.Library)
	if err := p.err(); err != nil {
		return nil, err
	}
	return send[TemplateCreateResult](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/message_templates", ids: []string{string(waba)},
	}, t)
}

// TemplateUpdateParams are the parameters of [TemplatesService.Update]. What is not set stays as it
// is. An approved template can be edited once a day and ten times in 30 days (for the max price,
// 100 times an hour and 2,400 a day, as of October 2026), and its category not at all; only
// approved, rejected and paused ones can be edited.
type TemplateUpdateParams struct {
	Category graph.TemplateCategory `json:"category,omitzero"`

	// Components replace all components: there is no way to change one.
	Components []ComponentDefinition `json:"components,omitempty"`

	// TTL is how long Meta tries to deliver, in whole seconds. If zero, it stays.
	TTL time.Duration `json:"-"`

	// Optimization gives a marketing template a max price, or another one, since 2026-08-31. If
	// nil, it stays.
	Optimization *OptimizationSpec `json:"optimization_spec,omitzero"`
}

// Update changes a template, which is then reviewed again.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
//
// graph:POST /{template-id}
func (s *TemplatesService) Update(ctx context.Context, id graph.TemplateID, e TemplateUpdateParams) error {
	p := problems{}
	if e.Category == "" && len(e.Components) == 0 && e.TTL == 0 && e.Optimization == nil {
		p.missing("the TemplateUpdateParams changes nothing")
	}
	checkParts(&p, "TemplateUpdateParams.Components", e.Components)
	e.Optimization.check(&p, "TemplateUpdateParams.Optimization")
	if err := p.err(); err != nil {
		return err
	}
	return do(ctx, s.c, request{method: http.MethodPost, path: "/{template-id}", ids: []string{string(id)}}, struct {
		TemplateUpdateParams
		TTL int64 `json:"message_send_ttl_seconds,omitzero"`
	}{e, int64(e.TTL / time.Second)})
}

// Delete removes a template in one language. Its name cannot be used again for 30 days.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
//
// graph:DELETE /{waba-id}/message_templates hsm_id
func (s *TemplatesService) Delete(ctx context.Context, waba graph.WABAID, name string, id graph.TemplateID) error {
	if id == "" {
		return invalid("the template id is empty; DeleteAllLanguages removes a name in all its languages")
	}
	return s.remove(ctx, waba, name, id)
}

// DeleteAllLanguages removes every translation of a template. Its name cannot be used again for 30
// days.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
//
// graph:DELETE /{waba-id}/message_templates
func (s *TemplatesService) DeleteAllLanguages(ctx context.Context, waba graph.WABAID, name string) error {
	return s.remove(ctx, waba, name, "")
}

func (s *TemplatesService) remove(ctx context.Context, waba graph.WABAID, name string, id graph.TemplateID) error {
	if name == "" {
		return invalid("the template name is empty")
	}
	type options struct {
		Name string           `url:"name"`
		ID   graph.TemplateID `url:"hsm_id,omitempty"`
	}
	return do(ctx, s.c, request{
		method: http.MethodDelete, path: "/{waba-id}/message_templates", ids: []string{string(waba)},
		options: options{name, id}, replay: RetryIdempotent,
	}, nil)
}

// AuthenticationUpsertParams are the parameters of [TemplatesService.UpsertAuthentication]: one
// authentication template in several languages.
type AuthenticationUpsertParams struct {
	Name      string   `json:"name"`      // lower-case letters, digits and underscores
	Languages []string `json:"languages"` // 1 to 100, such as "en_US"

	// Components have no text: Meta writes it.
	Components []ComponentDefinition `json:"components"`

	// TTL is how long Meta tries to deliver, in whole seconds. If zero, Meta's ten minutes.
	TTL time.Duration `json:"-"`
}

// UpsertAuthentication makes or changes an authentication template in several languages at once,
// and returns one result for each. Meta writes the text of such templates itself.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/bulk-management
//
// graph:POST /{waba-id}/upsert_message_templates
func (s *TemplatesService) UpsertAuthentication(
	ctx context.Context, waba graph.WABAID, t AuthenticationUpsertParams,
) ([]TemplateCreateResult, error) {
	p := problems{}
	if !templateNameRe.MatchString(t.Name) {
		p.put(true, t.Name == "",
			"AuthenticationUpsertParams.Name must be lower-case letters, digits and underscores", nil)
	}
	p.count("AuthenticationUpsertParams.Languages", len(t.Languages), 1, 100)
	checkParts(&p, "AuthenticationUpsertParams.Components", t.Components)
	if err := p.err(); err != nil {
		return nil, err
	}
	resp, err := send[page](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/upsert_message_templates", ids: []string{string(waba)},
		replay: RetryIdempotent,
	}, struct {
		AuthenticationUpsertParams
		Category graph.TemplateCategory `json:"category"`
		TTL      int64                  `json:"message_send_ttl_seconds,omitzero"`
	}{t, graph.TemplateAuthentication, int64(t.TTL / time.Second)})
	if err != nil {
		return nil, err
	}
	var all []TemplateCreateResult
	for _, raw := range resp.Data {
		var t TemplateCreateResult
		if err := decodeAnswer(raw, &t); err != nil {
			r := request{method: http.MethodPost, path: "/{waba-id}/upsert_message_templates"}
			return all, r.broken(resp.meta, unreadable(raw, err))
		}
		t.Response = resp.meta
		all = append(all, t)
	}
	return all, nil
}

// A TemplatePreview is the text that Meta gives an authentication template.
type TemplatePreview struct {
	Body     string                 `json:"body"`
	Footer   string                 `json:"footer"`
	Language string                 `json:"language"`
	Buttons  []PreviewButton        `json:"buttons"`
	Category graph.TemplateCategory `json:"category"`
	Resource
}

// A PreviewButton is a button with Meta's text.
type PreviewButton struct {
	Text         string `json:"text"`
	AutofillText string `json:"autofill_text"`
}

// PreviewOptions are the options of [TemplatesService.Previews].
type PreviewOptions struct {
	Languages              []string // if empty, all
	SecurityRecommendation bool     // with the advice not to share the code
	ExpiresMinutes         int      // 1 to 90, or zero for a footer without
}

// Previews walks through the texts that Meta gives authentication templates.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/template-previews
//
// graph:GET /{waba-id}/message_template_previews
func (s *TemplatesService) Previews(
	ctx context.Context, waba graph.WABAID, opts PreviewOptions,
) iter.Seq2[*TemplatePreview, error] {
	type options struct {
		Category  graph.TemplateCategory `url:"category"`
		Languages []string               `url:"languages,comma,omitempty"`
		Security  bool                   `url:"add_security_recommendation,omitempty"`
		Expires   int                    `url:"code_expiration_minutes,omitempty"`
		Buttons   string                 `url:"button_types"`
	}
	return list[TemplatePreview](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/message_template_previews", ids: []string{string(waba)},
		options: options{
			graph.TemplateAuthentication, opts.Languages, opts.SecurityRecommendation, opts.ExpiresMinutes, "OTP",
		},
	})
}

// A LibraryTemplate is a template of Meta's library.
type LibraryTemplate struct {
	ID       string                 `json:"id"`
	Name     string                 `json:"name"` // for [TemplateFromLibraryParams].Library
	Language string                 `json:"language"`
	Category graph.TemplateCategory `json:"category"`

	// Topic, UseCase and Industry are Meta's keys, which [LibraryOptions] takes.
	Topic    string   `json:"topic"`
	UseCase  string   `json:"usecase"`
	Industry []string `json:"industry"`

	// Header and Body are the texts, and BodyParams the samples of the body's variables.
	Header     string   `json:"header"`
	Body       string   `json:"body"`
	BodyParams []string `json:"body_params"`
	Resource
}

// LibraryOptions are the options of [TemplatesService.Library]. Empty members do not narrow the
// list.
type LibraryOptions struct {
	Search   string `url:"search,omitempty"` // words of name or text
	Topic    string `url:"topic,omitempty"`
	UseCase  string `url:"usecase,omitempty"`
	Industry string `url:"industry,omitempty"`
	Language string `url:"language,omitempty"`
	Limit    int    `url:"limit,omitempty"` // the size of a page; if zero, Meta's own
}

// Library walks through Meta's library of templates.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-library
//
// graph:GET /message_template_library
func (s *TemplatesService) Library(ctx context.Context, opts LibraryOptions) iter.Seq2[*LibraryTemplate, error] {
	return list[LibraryTemplate](ctx, s.c, request{
		method: http.MethodGet, path: "/message_template_library", options: opts,
	})
}

// Unpause lets a template that was paused for its pacing go on. Meta's pages name the call and do
// not show its path, which is taken from elsewhere.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-pacing
//
// graph:POST /{template-id}/unpause
func (s *TemplatesService) Unpause(ctx context.Context, id graph.TemplateID) error {
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{template-id}/unpause", ids: []string{string(id)}, replay: RetryIdempotent,
	}, nil)
}
