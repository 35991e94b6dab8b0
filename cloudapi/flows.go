package cloudapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A FlowsService makes and keeps Flows: forms of several screens inside a chat. A Flow is a draft
// until it is published, and cannot be changed afterwards.
//
// Package flowendpoint answers the data exchange of Flows that have an endpoint.
type FlowsService service

// A Flow is a Flow. Which members are set depends on the fields that were asked for.
type Flow struct {
	ID         graph.FlowID     `json:"id"`
	Name       string           `json:"name"`
	Status     graph.FlowStatus `json:"status"`
	Categories []string         `json:"categories"` // such as "LEAD_GENERATION"

	// ValidationErrors keep a draft from being published. They are empty for a Flow that is in
	// order.
	ValidationErrors []FlowValidationError `json:"validation_errors"`

	// JSONVersion is the version of the Flow JSON, such as "6.0", and DataAPIVersion that of the
	// data exchange, such as "3.0". The latter is empty for a Flow without an endpoint.
	JSONVersion    string `json:"json_version"`
	DataAPIVersion string `json:"data_api_version"`

	// EndpointURI is the data endpoint, or empty.
	EndpointURI string `json:"endpoint_uri"`

	// Preview is set by [FlowsService.Get].
	Preview FlowPreview `json:"preview"`
	Resource
}

func (f *Flow) incomplete() string { return withoutID(f.ID) }

// A FlowPreview is a page that shows a Flow to everyone who has the link, for 30 days.
type FlowPreview struct {
	URL       string          `json:"preview_url"`
	ExpiresAt graph.Timestamp `json:"expires_at"`
}

// A FlowValidationError is a mistake in a Flow's JSON, with its place.
type FlowValidationError struct {
	Code    string `json:"error"`      // such as "INVALID_PROPERTY_VALUE"
	Type    string `json:"error_type"` // such as "FLOW_JSON_ERROR"
	Message string `json:"message"`

	// The place in the JSON, as Meta counts lines and columns.
	LineStart   int `json:"line_start"`
	LineEnd     int `json:"line_end"`
	ColumnStart int `json:"column_start"`
	ColumnEnd   int `json:"column_end"`
}

// List walks through the Flows of an account.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:GET /{waba-id}/flows
func (s *FlowsService) List(ctx context.Context, waba graph.WABAID) iter.Seq2[*Flow, error] {
	return list[Flow](ctx, s.c, request{method: http.MethodGet, path: "/{waba-id}/flows", ids: []string{string(waba)}})
}

var flowFields = []string{
	"id", "name", "status", "categories", "validation_errors", "json_version", "data_api_version",
	"endpoint_uri", "preview",
}

// Get reads a Flow, with a link to its preview.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:GET /{flow-id}
func (s *FlowsService) Get(ctx context.Context, id graph.FlowID) (*Flow, error) {
	return call[Flow](ctx, s.c, request{
		method: http.MethodGet, path: "/{flow-id}", ids: []string{string(id)}, options: fieldsOption{flowFields},
	})
}

// FlowCreateParams are the parameters of [FlowsService.Create].
type FlowCreateParams struct {
	// Name is the Flow's name. Required.
	Name string

	// Categories are one or more of Meta's, such as "LEAD_GENERATION" or "OTHER".
	Categories []string

	// JSON is the Flow itself. If nil, it is uploaded later with [FlowsService.UploadJSON].
	JSON json.RawMessage

	// Publish publishes it at once, if JSON has no mistakes.
	Publish bool

	// Clone copies another Flow of the account.
	Clone graph.FlowID

	// EndpointURI is your data endpoint, from Flow JSON version 3.0 on.
	EndpointURI string
}

// A FlowResult is a Flow as it was stored. With ValidationErrors it is stored all the same, and
// cannot be published.
type FlowResult struct {
	ID graph.FlowID `json:"id"`

	// ValidationErrors are the mistakes in the JSON. They come with status 200.
	ValidationErrors []FlowValidationError `json:"validation_errors"`
	Resource
}

// Create makes a Flow. Look at ValidationErrors although there is no error.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:POST /{waba-id}/flows
func (s *FlowsService) Create(ctx context.Context, waba graph.WABAID, f FlowCreateParams) (*FlowResult, error) {
	var p problems
	p.needs("FlowCreateParams.Name", f.Name)
	p.count("FlowCreateParams.Categories", len(f.Categories), 1, 100)
	if f.JSON != nil && !json.Valid(f.JSON) {
		p.add("FlowCreateParams.JSON is not valid JSON")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	v, err := f.update().values()
	if err != nil {
		return nil, err
	}
	if f.JSON != nil {
		v.Set("flow_json", string(f.JSON))
	}
	if f.Publish {
		v.Set("publish", "true")
	}
	if f.Clone != "" {
		v.Set("clone_flow_id", string(f.Clone))
	}
	resp, err := post[FlowResult](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/flows", ids: []string{string(waba)},
	}, v)
	if err != nil {
		return nil, err
	}
	return resp, nil
}

func (f FlowCreateParams) update() FlowUpdateParams {
	return FlowUpdateParams{Name: f.Name, Categories: f.Categories, EndpointURI: f.EndpointURI}
}

// FlowUpdateParams are the parameters of [FlowsService.Update]. What is empty stays as it is.
type FlowUpdateParams struct {
	Name        string
	Categories  []string    // replace those that are set
	EndpointURI string      // of the data endpoint
	AppID       graph.AppID // whose key and endpoint are used
}

func (u FlowUpdateParams) values() (url.Values, error) {
	v := url.Values{}
	fields := map[string]string{"name": u.Name, "endpoint_uri": u.EndpointURI, "application_id": string(u.AppID)}
	for name, value := range fields {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(u.Categories) > 0 {
		b, err := encode(u.Categories)
		if err != nil {
			return nil, err
		}
		v.Set("categories", string(b))
	}
	return v, nil
}

// Update changes what a Flow is called and where its endpoint is.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:POST /{flow-id}
func (s *FlowsService) Update(ctx context.Context, id graph.FlowID, u FlowUpdateParams) error {
	v, err := u.values()
	if err != nil {
		return err
	}
	if len(v) == 0 {
		return invalid("the FlowUpdateParams changes nothing")
	}
	_, err = post[success](ctx, s.c, request{
		method: http.MethodPost, path: "/{flow-id}", ids: []string{string(id)}, replay: RetryIdempotent,
	}, v)
	return err
}

// Delete removes a draft.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:DELETE /{flow-id}
func (s *FlowsService) Delete(ctx context.Context, id graph.FlowID) error {
	return do(ctx, s.c, request{
		method: http.MethodDelete, path: "/{flow-id}", ids: []string{string(id)}, replay: RetryIdempotent,
	}, nil)
}

// A FlowAsset is a file of a Flow.
type FlowAsset struct {
	Name string `json:"name"`
	Type string `json:"asset_type"` // "FLOW_JSON"

	// DownloadURL is public for some time: everyone who has it can read the file, without a token.
	DownloadURL string `json:"download_url"`
	Resource
}

// Assets walks through the files of a Flow.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:GET /{flow-id}/assets
func (s *FlowsService) Assets(ctx context.Context, id graph.FlowID) iter.Seq2[*FlowAsset, error] {
	return list[FlowAsset](ctx, s.c, request{
		method: http.MethodGet, path: "/{flow-id}/assets", ids: []string{string(id)},
	})
}

// UploadJSON replaces the JSON of a draft. Look at ValidationErrors although there is no error: a
// Flow with mistakes is stored and cannot be published.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:POST /{flow-id}/assets
func (s *FlowsService) UploadJSON(ctx context.Context, id graph.FlowID, flow json.RawMessage) (*FlowResult, error) {
	if !json.Valid(flow) {
		return nil, invalid("the Flow is not valid JSON")
	}
	body, err := multipartFile([][2]string{{"name", "flow.json"}, {"asset_type", "FLOW_JSON"}},
		"file", "flow.json", "application/json", io.ReadSeeker(bytes.NewReader(flow)), int64(len(flow)))
	if err != nil {
		return nil, err
	}
	resp, err := call[FlowResult](ctx, s.c, request{
		method: http.MethodPost, path: "/{flow-id}/assets", ids: []string{string(id)}, upload: body,
		replay: RetryIdempotent,
	})
	if err != nil {
		return nil, err
	}
	resp.ID = id
	return resp, nil
}

// Publish makes a draft usable, for good: a published Flow cannot be changed.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:POST /{flow-id}/publish
func (s *FlowsService) Publish(ctx context.Context, id graph.FlowID) error {
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{flow-id}/publish", ids: []string{string(id)}, replay: RetryIdempotent,
	}, nil)
}

// Deprecate ends a published Flow: it can be sent and opened no more.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:POST /{flow-id}/deprecate
func (s *FlowsService) Deprecate(ctx context.Context, id graph.FlowID) error {
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{flow-id}/deprecate", ids: []string{string(id)}, replay: RetryIdempotent,
	}, nil)
}

// A FlowMigrateResult lists the Flows that were copied, and those that failed.
type FlowMigrateResult struct {
	// Migrated are the copies, with the id that each has in the new account.
	Migrated []struct {
		SourceName string       `json:"source_name"`
		SourceID   graph.FlowID `json:"source_id"`
		ID         graph.FlowID `json:"migrated_id"`
	} `json:"migrated_flows"`

	// Failed are those that were not copied, with Meta's reason.
	Failed []struct {
		SourceName string `json:"source_name"`
		Code       string `json:"error_code"`
		Message    string `json:"error_message"`
	} `json:"failed_flows"`
	Resource
}

func (m *FlowMigrateResult) incomplete() string {
	if m.Migrated == nil && m.Failed == nil {
		return "the answer names no Flow"
	}
	return ""
}

// FlowMigrateParams are the parameters of [FlowsService.Migrate].
type FlowMigrateParams struct {
	// From is the account that has them.
	From graph.WABAID

	// Names are 1 to 100 names of Flows.
	Names []string
}

// Migrate copies Flows by name from another account of the same business, as drafts. Look at Failed
// although there is no error.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi
//
// graph:POST /{waba-id}/migrate_flows
func (s *FlowsService) Migrate(
	ctx context.Context, to graph.WABAID, params FlowMigrateParams,
) (*FlowMigrateResult, error) {
	var p problems
	p.needs("FlowMigrateParams.From", string(params.From))
	p.count("FlowMigrateParams.Names", len(params.Names), 1, 100)
	if err := p.err(); err != nil {
		return nil, err
	}
	b, err := encode(params.Names)
	if err != nil {
		return nil, err
	}
	return post[FlowMigrateResult](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/migrate_flows", ids: []string{string(to)},
	}, url.Values{"source_waba_id": {string(params.From)}, "source_flow_names": {string(b)}})
}

// A FlowKey is the public key by which phones encrypt what they send to your data endpoint.
type FlowKey struct {
	// PublicKey is in PEM. Your data endpoint has the private half.
	PublicKey string `json:"business_public_key"`

	// Status is FlowKeyValid, or FlowKeyMismatch after the number was registered again: set the key
	// again then.
	Status FlowKeyStatus `json:"business_public_key_signature_status"`
	Resource
}

// A FlowKeyStatus is whether a key is good. Meta may add values.
type FlowKeyStatus string

const (
	FlowKeyValid    FlowKeyStatus = "VALID"
	FlowKeyMismatch FlowKeyStatus = "MISMATCH"
)

// Key reads the key of a number.
//
// Meta: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/whatsapp-business-encryption
//
// graph:GET /{phone-number-id}/whatsapp_business_encryption
func (s *FlowsService) Key(ctx context.Context, phone graph.PhoneNumberID) (*FlowKey, error) {
	return first[FlowKey](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/whatsapp_business_encryption", ids: []string{string(phone)},
		phone: phone,
	})
}

// SetKey sets the key of a number: an RSA public key of 2048 bits in PEM.
//
// Meta: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/whatsapp-business-encryption
//
// graph:POST /{phone-number-id}/whatsapp_business_encryption
func (s *FlowsService) SetKey(ctx context.Context, phone graph.PhoneNumberID, publicKeyPEM string) error {
	if problem := badPublicKey(publicKeyPEM); problem != "" {
		return invalid(problem)
	}
	_, err := post[success](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/whatsapp_business_encryption", ids: []string{string(phone)},
		phone: phone, replay: RetryIdempotent,
	}, url.Values{"business_public_key": {publicKeyPEM}})
	return err
}
