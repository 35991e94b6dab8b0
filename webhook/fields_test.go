package webhook_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// fieldConstants returns the values of the constants of field.go, by name.
func fieldConstants(t *testing.T) map[string]webhook.Field {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "field.go", nil, 0)
	require.NoError(t, err)
	fields := make(map[string]webhook.Field)
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			fields[v.Names[0].Name] = webhook.Field(value)
		}
		return true
	})
	require.NotEmpty(t, fields)
	return fields
}

// eventTypes returns the closed list of event.go, each with the field that it needs.
func eventTypes(t *testing.T) map[string]string {
	t.Helper()
	source, err := os.ReadFile("event.go")
	require.NoError(t, err)
	types := make(map[string]string)
	method := regexp.MustCompile(`(?m)^func \(\*(\w+)\) field\(\) Field +\{ return (\S+) \}`)
	for _, m := range method.FindAllStringSubmatch(string(source), -1) {
		types[m[1]] = m[2]
	}
	require.NotEmpty(t, types)
	return types
}

func TestEveryFieldAndEveryEventHasASample(t *testing.T) {
	t.Parallel()
	sampled, produced := map[webhook.Field]bool{}, map[string]bool{"UndecodableEvent": true}
	for _, name := range webhooktest.Samples() {
		sampled[webhook.Field(name.Field)] = true
		for _, ev := range decode(t, string(webhooktest.Sample(name.Field, name.Case))) {
			produced[strings.TrimPrefix(fmt.Sprintf("%T", ev), "*webhook.")] = true
		}
	}
	constants := fieldConstants(t)
	for name, field := range constants {
		require.True(t, sampled[field], "%s has no sample: add webhooktest/samples/%s/<case>.json", name, field)
	}
	for field := range sampled {
		require.Contains(t, slices.Collect(maps.Values(constants)), field,
			"the samples' field has no constant in field.go")
	}
	for name := range eventTypes(t) {
		require.True(t, produced[name], "no sample yields a *webhook.%s", name)
	}
}

func TestThePackageCommentHasAllFieldsAndEvents(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(doc), "\n// # Fields\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n// # ")
	for _, field := range fieldConstants(t) {
		require.Regexp(t, `(?m)^//\t`+string(field)+` `, table)
	}
	for name := range eventTypes(t) {
		require.Regexp(t, `\b`+name+`\b`, table)
	}
}

// TestFieldsYieldTheirEvents holds what each sample of the rarer fields is decoded into, and who
// the customer is.
func TestFieldsYieldTheirEvents(t *testing.T) {
	t.Parallel()
	const alma = "US.4000000000000000123"
	tests := map[string]struct{ event, customer string }{
		"account_alerts":                                     {"AccountAlert", "-"},
		"account_review_update":                              {"AccountReviewUpdate", "-"},
		"account_settings_update":                            {"AccountSettingsUpdate", "-"},
		"automatic_events":                                   {"AutomaticEvent", "-"},
		"business_capability_update":                         {"BusinessCapabilityUpdate", "-"},
		"business_username_update":                           {"BusinessUsernameUpdate", "-"},
		"business_username_updates":                          {"BusinessUsernameUpdate", "-"},
		"calls":                                              {"Call", alma},
		"calls/terminate-failed":                             {"Call", "15550100123"},
		"calls/status-ringing":                               {"CallStatus", alma},
		"calls/status-accepted":                              {"CallStatus", alma},
		"calls/status-rejected":                              {"CallStatus", alma},
		"flows":                                              {"FlowUpdate", "-"},
		"group_lifecycle_update":                             {"GroupLifecycleUpdate", "-"},
		"group_participants_update":                          {"GroupParticipantsUpdate", alma},
		"group_participants_update/add":                      {"GroupParticipantsUpdate", ""},
		"group_participants_update/remove":                   {"GroupParticipantsUpdate", ""},
		"group_participant_update":                           {"GroupParticipantsUpdate", "15550100123"},
		"group_settings_update":                              {"GroupSettingsUpdate", "-"},
		"group_status_update":                                {"GroupStatusUpdate", "-"},
		"message_echoes":                                     {"OtherAppEcho", alma},
		"message_template_components_update":                 {"MessageTemplateComponentsUpdate", "-"},
		"message_template_quality_update":                    {"MessageTemplateQualityUpdate", "-"},
		"message_template_status_update":                     {"MessageTemplateStatusUpdate", "-"},
		"message_template_status_update/quality-mislabelled": {"MessageTemplateQualityUpdate", "-"},
		"messaging_handovers":                                {"MessagingHandover", "15550100123"},
		"partner_solutions":                                  {"PartnerSolution", "-"},
		"payment_configuration_update":                       {"PaymentConfigurationUpdate", "-"},
		"phone_number_name_update":                           {"PhoneNumberNameUpdate", "-"},
		"phone_number_quality_update":                        {"PhoneNumberQualityUpdate", "-"},
		"security":                                           {"SecurityUpdate", "-"},
		"messaging_handovers/legacy":                         {"MessagingHandover", "US.10000000000000123"},
		"standby/message":                                    {"StandbyMessage", alma},
		"standby/echo":                                       {"StandbyEcho", alma},
		"standby/status":                                     {"StandbyStatus", alma},
		"standby/dashboard":                                  {"UnknownEvent", "-"},
		"template_category_update":                           {"TemplateCategoryUpdate", "-"},
		"template_correct_category_detection":                {"TemplateCorrectCategoryDetection", "-"},
		"tracking_events":                                    {"TrackingEvent", "-"},
		"user_id_update":                                     {"UserIDUpdate", "US.4000000000000000999"},
		"user_preferences":                                   {"UserPreference", alma},

		"business_status_update":       {"UnknownEvent", "-"},
		"consumer_profile":             {"UnknownEvent", "-"},
		"template_performance_metrics": {"UnknownEvent", "-"},
	}
	mainPath := []string{"messages", "history", "smb_app_state_sync", "smb_message_echoes", "account_update"}
	for _, name := range webhooktest.Samples() {
		if slices.Contains(mainPath, name.Field) {
			continue
		}
		want, ok := tests[name.Field+"/"+name.Case]
		if !ok {
			want, ok = tests[name.Field]
		}
		require.True(t, ok, name)
		events := decode(t, string(webhooktest.Sample(name.Field, name.Case)))
		require.Equal(t, want.event, kindsOf(events), name)
		customer := "-"
		if c, ok := events[0].(interface{ Customer() graph.Identity }); ok {
			customer = c.Customer().Key()
		}
		require.Equal(t, want.customer, customer, name)
	}
}

func TestReasonsAreSpelledInOneWay(t *testing.T) {
	t.Parallel()
	u := one[*webhook.AccountUpdate](t, inValue("account_update", `
		"event":"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE","partner_client_certification_info":{
		"status":"FAILED","rejection_reasons":["LEGAL_NAME_NOT_MATCHING","MALFORMED DOCUMENTS"]}`))
	require.Equal(t, []webhook.RejectionReason{webhook.RejectedName, webhook.RejectedDocuments},
		u.Certification.RejectionReasons)
}

func TestStandbyNeverReachesABot(t *testing.T) {
	t.Parallel()
	bodies := []string{
		inValue("standby", `"messages":[{"id":"m","text":{"body":"x"}}]`),
		inValue("standby", `"standby":{"messages":[{"id":"m","from":"15550100123","text":{"body":"x"}},
			{"id":"u","type":"unsupported","errors":[{"code":131060}]}],"statuses":[{"id":"m","status":"read"}],
			"message_echoes":[{"id":"e"}]}`),
		inValue("message_echoes",
			`"messages":[{"id":"m","text":{"body":"x"}}],"message_echoes":[{"id":"e","to":"15550100123"}]`),
	}
	for _, body := range bodies {
		for _, ev := range decode(t, body) {
			switch ev.(type) {
			case *webhook.IncomingMessage, *webhook.UnavailableMessage,
				*webhook.MessageStatus, *webhook.BusinessAppEcho:
				t.Errorf("%T from %s", ev, body)
			}
		}
	}
	events := decode(t, bodies[1])
	require.Equal(t, "StandbyMessage StandbyMessage StandbyStatus StandbyEcho", kindsOf(events))
	hidden := events[1].(*webhook.StandbyMessage).Message
	require.IsType(t, &webhook.UnsupportedContent{}, hidden.Content)
	require.Equal(t, graph.CodeMessageUnavailable, hidden.Errors[0].Code)
}

func TestCallsKnowTheirCustomer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ call, customer string }{
		"the customer calls": {`"from":"15550100123","to":"15550100100","direction":"USER_INITIATED"`,
			"15550100123"},
		"the business calls": {`"from":"15550100100","to":"15550100123","direction":"BUSINESS_INITIATED"`,
			"15550100123"},
		"business calls, sides swapped": {`"from":"15550100123","to":"15550100100","direction":"BUSINESS_INITIATED"`,
			"15550100123"},
		"sides without the business": {`"from":"15550100124","to":"15550100123","direction":"BUSINESS_INITIATED"`,
			"15550100123"},
		"a recording": {`"from":"15550100123"`, "15550100123"},
		"a user id only": {`"from_user_id":"US.4000000000000000123","to":"15550100100"`,
			"US.4000000000000000123"},
		"a user id for a number": {`"from":"US.4000000000000000123"`, "US.4000000000000000123"},
	}
	for name, tt := range tests {
		call := one[*webhook.Call](t, inValue("calls", `"calls":[{"id":"c",`+tt.call+`}]`))
		require.Equal(t, tt.customer, call.Customer().Key(), name)
	}
	calls := decode(t, inValue("calls", `"calls":[{"id":"a"},{"id":"b"}],"errors":[{"code":1}]`))
	require.Equal(t, "Call Call PhoneNumberError", kindsOf(calls), "whose error it is nobody knows")
	calls = decode(t, inValue("calls", `"calls":[{"id":"a"}],"errors":[{"code":"E1","hint":5}]`))
	require.Equal(t, "Call", kindsOf(calls))
	require.Len(t, calls[0].(*webhook.Call).Errors, 1)
	require.Len(t, calls[0].Info().Unknown, 2)
}

func TestCategoriesBeforeAndAfterAMove(t *testing.T) {
	t.Parallel()
	before := one[*webhook.TemplateCategoryUpdate](t,
		string(webhooktest.Sample("template_category_update", "upcoming")))
	require.Equal(t, graph.TemplateUtility, before.Current())
	require.Equal(t, graph.TemplateMarketing, before.Upcoming())
	after := one[*webhook.TemplateCategoryUpdate](t, string(webhooktest.Sample("template_category_update", "done")))
	require.Equal(t, graph.TemplateMarketing, after.Current())
	require.Empty(t, after.Upcoming())
	require.Equal(t, graph.TemplateID("8000000000000000001"), after.TemplateID, "digit for digit")
}

func TestChangesWithoutALabelAreToldByTheirShape(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`{"new_quality_score":"RED","message_template_id":1}`: "MessageTemplateQualityUpdate",
		`{"event":"APPROVED","message_template_id":1}`:        "MessageTemplateStatusUpdate",
		`{"event":"FLOW_STATUS_CHANGE","flow_id":"1"}`:        "FlowUpdate",
		`{"event":"SOLUTION_CREATED","solution_id":"1"}`:      "PartnerSolution",
		`{"event":"VERIFIED_ACCOUNT"}`:                        "AccountUpdate",
		`{"calls":[{"id":"c"}]}`:                              "Call",
		`{"standby":{"messages":[{"id":"m"}]}}`:               "StandbyMessage",
		`{"messages":[{"id":"m"}]}`:                           "IncomingMessage",
		`{"strange":[]}`:                                      "UnknownEvent",
	} {
		require.Equal(t, want, kindsOf(decode(t, `{"entry":[{"id":"1","changes":[{"value":`+value+`}]}]}`)), value)
	}
}

// Found by mutation: what stood beside the lists was skipped, or taken, even if no reader could use
// it.
func TestAnUnusableMemberBesideAListIsNotLost(t *testing.T) {
	t.Parallel()
	group := `"groups":[{"group_id":"Y2FwaQ","type":"group_participants_remove"}]`
	message := `"messages":[{"id":"wamid.1","type":"text","text":{"body":"Hi"}}]`
	for name, body := range map[string]string{
		"an initiator that is an object": inValue("group_participants_update",
			group+`,"initiated_by":{"who":"canary"}`),
		"an event that is a list":  inValue("messages", message+`,"event":["canary"]`),
		"an event beside messages": inValue("messages", message+`,"event":"canary"`),
		"an event that is a list, no label": `{"entry":[{"id":"2","changes":[{"value":{"errors":[{"code":1}],` +
			`"event":["canary"]}}]}]}`,
		"an event beside contacts": inValue("smb_app_state_sync",
			`"state_sync":[{"type":"contact"}],"event":"canary"`),
		"an event beside echoes": inValue("smb_message_echoes",
			`"message_echoes":[{"id":"wamid.1"}],"event":"canary"`),
	} {
		events, err := webhook.Decode([]byte(body))
		require.NoError(t, err, name)
		var kept bool
		for _, ev := range events {
			kept = kept || bytes.Contains(ev.Info().Raw, []byte("canary"))
			for _, m := range ev.Info().Unknown {
				kept = kept || bytes.Contains(m.Value, []byte("canary"))
			}
		}
		require.True(t, kept, "%s: %+v", name, events)
	}
}

// otherLabel lists the samples whose label is a different field than the one that
// [webhook.Mux.Fields] names for their events.
var otherLabel = map[string]string{
	"business_username_update":                           "its older name",
	"user_id_update":                                     "withdrawn by Meta: nothing to subscribe to",
	"group_participant_update":                           "its name in Meta's OpenAPI document",
	"message_template_status_update/quality-mislabelled": "Meta's mistake",
}

// A host tries its handler with a sample of a field. A function for an event of another field is
// never called for it, and is answered 200.
func TestSamplesReachTheFunctionsOfTheirField(t *testing.T) {
	t.Parallel()
	constants, types := fieldConstants(t), eventTypes(t)
	for _, s := range webhooktest.Samples() {
		full := s.Field + "/" + s.Case
		if otherLabel[s.Field] != "" || otherLabel[full] != "" || rawOnPurpose[full] == "[UnknownEvent]" ||
			strings.HasPrefix(s.Case, "batch") {
			continue
		}
		for _, ev := range decode(t, string(webhooktest.Sample(s.Field, s.Case))) {
			name := strings.TrimPrefix(fmt.Sprintf("%T", ev), "*webhook.")
			require.Equal(t, webhook.Field(s.Field), constants[types[name]],
				"%s yields a %s, for which Mux.Fields names another field", full, name)
		}
	}
}

func TestNoEventIsNamedLikeAnotherField(t *testing.T) {
	t.Parallel()
	constants, types := fieldConstants(t), eventTypes(t)
	for _, field := range constants {
		var name strings.Builder
		for word := range strings.SplitSeq(string(field), "_") {
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		for _, name := range []string{name.String(), strings.TrimSuffix(name.String(), "s"),
			strings.TrimSuffix(name.String(), "es")} {
			constant, ok := types[name]
			if !ok || otherLabel[string(field)] != "" {
				continue
			}
			require.Equal(t, field, constants[constant], "a host that wants %s registers a function for %s", field,
				name)
		}
	}
}
