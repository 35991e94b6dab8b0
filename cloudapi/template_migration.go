package cloudapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// TemplateMigrateParams are the parameters of [TemplatesService.Migrate]. Both accounts belong to
// the same business.
type TemplateMigrateParams struct {
	// SourceWABAID is the account that has them. Required.
	SourceWABAID graph.WABAID `json:"source_waba_id"`

	// Templates are the ones to copy. If empty, all, 500 at a time: Page counts from 0, Count is at
	// most 500.
	Templates []graph.TemplateID `json:"template_ids,omitempty"`
	Page      int                `json:"page_number,omitzero"`
	Count     int                `json:"count,omitzero"`
}

// A TemplateMigrateResult lists the templates that were copied, and those that failed.
type TemplateMigrateResult struct {
	// Migrated are the templates that were copied.
	Migrated []graph.TemplateID `json:"migrated_templates"`

	// Failed has the reason for each template that was not copied.
	Failed map[string]string `json:"failed_templates"`

	Resource
}

func (m *TemplateMigrateResult) incomplete() string {
	if m.Migrated == nil && m.Failed == nil {
		return "the answer names no template"
	}
	return ""
}

// Migrate copies templates into an account. Look at Failed although there is no error.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-migration
//
// graph:POST /{waba-id}/migrate_message_templates
func (s *TemplatesService) Migrate(
	ctx context.Context, to graph.WABAID, m TemplateMigrateParams,
) (*TemplateMigrateResult, error) {
	p := problems{}
	p.needs("TemplateMigrateParams.SourceWABAID", string(m.SourceWABAID))
	p.within("TemplateMigrateParams.Count", m.Count, 0, 500)
	if err := p.err(); err != nil {
		return nil, err
	}
	return send[TemplateMigrateResult](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/migrate_message_templates", ids: []string{string(to)},
	}, m)
}

// A TemplateComparison is one measure of two templates.
type TemplateComparison struct {
	// Metric is BLOCK_RATE, MESSAGE_SENDS or TOP_BLOCK_REASON. Meta may add values.
	Metric string `json:"metric"`

	// Type says which member holds the result: "RELATIVE" Order, "NUMBER_VALUES" Numbers and
	// "STRING_VALUES" Texts.
	Type string `json:"type"`

	// Order are the ids from the lower rate to the higher one.
	Order []graph.TemplateID `json:"order_by_relative_metric"`

	Numbers []ComparisonNumber `json:"number_values"`
	Texts   []ComparisonText   `json:"string_values"`
	Resource
}

// A ComparisonNumber is a measure of one template.
type ComparisonNumber struct {
	TemplateID graph.TemplateID `json:"key"`
	Value      int64            `json:"value"`
}

// A ComparisonText is a measure of one template in words.
type ComparisonText struct {
	TemplateID graph.TemplateID `json:"key"`
	Value      string           `json:"value"`
}

// CompareOptions are the options of [TemplatesService.Compare]. Both are required, and lie 7, 30,
// 60 or 90 days apart.
type CompareOptions struct {
	Start, End time.Time
}

// Compare compares two templates of one account over a time.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-comparison
//
// graph:GET /{template-id}/compare
func (s *TemplatesService) Compare(
	ctx context.Context, id, with graph.TemplateID, opts CompareOptions,
) ([]*TemplateComparison, error) {
	if with == "" {
		return nil, invalid("the template to compare with is empty")
	}
	var all []*TemplateComparison
	for c, err := range list[TemplateComparison](ctx, s.c, request{
		method: http.MethodGet, path: "/{template-id}/compare", ids: []string{string(id)},
		query: url.Values{
			"template_ids": {"[" + string(with) + "]"}, "start": {unix(opts.Start)}, "end": {unix(opts.End)},
		},
	}) {
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	return all, nil
}
