package cloudapi

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessageTemplate is a template in one language, as Meta keeps it. Members that were not asked
// for are zero.
type MessageTemplate struct {
	ID   graph.TemplateID
	Name string

	// Language is the code of the translation, such as "en_US". Each has an ID of its own.
	Language string

	Status          TemplateStatus
	Category        graph.TemplateCategory
	Components      []ComponentDefinition
	ParameterFormat ParameterFormat // empty where Meta did not say: positional

	// Quality is the rating by its recipients: GREEN, YELLOW, RED or UNKNOWN.
	Quality graph.QualityRating

	// RejectedReason is why a rejected template was, such as "INVALID_FORMAT".
	RejectedReason string

	// PreviousCategory and CorrectCategory say what Meta changed, or will.
	PreviousCategory graph.TemplateCategory
	CorrectCategory  graph.TemplateCategory

	// TTL is how long Meta tries to deliver. Zero means Meta's own time.
	TTL time.Duration

	// Source is AUTO_GENERATED for templates that Meta made itself.
	Source string

	// Optimization is the max price of a marketing template. It is read only if asked for, as
	// "optimization_spec" in TemplateListOptions.Fields. Nil if there is none.
	Optimization *OptimizationSpec

	Resource
}

// A TemplateStatus is the state of a template. Meta may add values.
type TemplateStatus string

const (
	TemplateApproved        TemplateStatus = "APPROVED" // the only one that can be sent
	TemplatePending         TemplateStatus = "PENDING"  // under review
	TemplateRejected        TemplateStatus = "REJECTED" // see RejectedReason
	TemplatePaused          TemplateStatus = "PAUSED"   // for a while, for its quality
	TemplateDisabled        TemplateStatus = "DISABLED" // for good, for its quality
	TemplateInAppeal        TemplateStatus = "IN_APPEAL"
	TemplatePendingDeletion TemplateStatus = "PENDING_DELETION"
	TemplateDeleted         TemplateStatus = "DELETED"
	TemplateLimitExceeded   TemplateStatus = "LIMIT_EXCEEDED"
	TemplateArchived        TemplateStatus = "ARCHIVED" // since April 2026
)

// A ParameterFormat is whether variables are {{1}} or {{first_name}}. Meta may add values.
type ParameterFormat string

const (
	ParametersPositional ParameterFormat = "POSITIONAL" // {{1}}
	ParametersNamed      ParameterFormat = "NAMED"      // {{first_name}}
)

// UnmarshalJSON reads a template as Meta writes it.
func (t *MessageTemplate) UnmarshalJSON(b []byte) error {
	var v struct {
		ID       graph.TemplateID       `json:"id"`
		Name     string                 `json:"name"`
		Language flexString             `json:"language"`
		Status   TemplateStatus         `json:"status"`
		Category graph.TemplateCategory `json:"category"`
		Parts    []ComponentDefinition  `json:"components"`
		Format   ParameterFormat        `json:"parameter_format"`
		Quality  struct {
			Score graph.QualityRating `json:"score"`
		} `json:"quality_score"`
		Rejected flexString             `json:"rejected_reason"`
		Previous graph.TemplateCategory `json:"previous_category"`
		Correct  graph.TemplateCategory `json:"correct_category"`
		TTL      flexInt                `json:"message_send_ttl_seconds"`
		Source   string                 `json:"source"`
		Price    *OptimizationSpec      `json:"optimization_spec"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*t = MessageTemplate{
		ID: v.ID, Name: v.Name, Language: string(v.Language), Status: TemplateStatus(strings.ToUpper(string(v.Status))),
		Category: v.Category, Components: v.Parts, ParameterFormat: v.Format, Quality: v.Quality.Score,
		RejectedReason: string(v.Rejected), PreviousCategory: v.Previous, CorrectCategory: v.Correct,
		TTL: time.Duration(v.TTL) * time.Second, Source: v.Source, Optimization: v.Price,
	}
	return nil
}

func (t *MessageTemplate) incomplete() string { return withoutID(t.ID) }

// TemplateCreateParams are the parameters of [TemplatesService.Create]: a template to be reviewed.
//
//	cloudapi.TemplateCreateParams{
//		Name: "order_confirmation", Language: "en_US", Category: graph.TemplateUtility,
//		ParameterFormat: cloudapi.ParametersNamed,
//		Components: []cloudapi.ComponentDefinition{
//			{
//				Type: cloudapi.ComponentBody, Text: "Hi {{first_name}}, your order is on its way.",
//				Example: &cloudapi.TemplateExample{
//					BodyNamed: []cloudapi.NamedExample{{Name: "first_name", Example: "Jessica"}},
//				},
//			},
//		},
//	}
type TemplateCreateParams struct {
	Name            string                 `json:"name"`     // lower-case letters, digits and underscores
	Language        string                 `json:"language"` // such as "en_US"
	Category        graph.TemplateCategory `json:"category"`
	ParameterFormat ParameterFormat        `json:"parameter_format,omitzero"` // if empty, positional
	Components      []ComponentDefinition  `json:"components"`

	// TTL is how long Meta tries to deliver, in whole seconds. If zero, Meta's own time.
	TTL time.Duration `json:"-"`

	// Optimization gives a marketing template a max price. If nil, its messages cost what the rate
	// card says.
	Optimization *OptimizationSpec `json:"optimization_spec,omitzero"`
}

// MarshalJSON writes the body of the request.
func (t TemplateCreateParams) MarshalJSON() ([]byte, error) {
	type plain TemplateCreateParams
	return json.Marshal(struct {
		plain
		TTL int64 `json:"message_send_ttl_seconds,omitzero"`
	}{plain(t), int64(t.TTL / time.Second)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TemplateCreateParams) UnmarshalJSON(b []byte) error {
	type plain TemplateCreateParams
	v := struct {
		*plain
		TTL flexInt `json:"message_send_ttl_seconds"`
	}{plain: (*plain)(t)}
	err := json.Unmarshal(b, &v)
	t.TTL = time.Duration(v.TTL) * time.Second
	return err
}

// Check returns every rule that the template breaks, as [ErrValidation], or nil. Create does it by
// itself.
func (t TemplateCreateParams) Check() error { return t.check() }

func (t TemplateCreateParams) check() error {
	p := problems{}
	checkTemplateName(&p, "TemplateCreateParams", t.Name, t.Language, t.Category)
	if t.TTL < 0 {
		p.add("TemplateCreateParams.TTL is negative")
	}
	t.Optimization.check(&p, "TemplateCreateParams.Optimization")
	p.count("TemplateCreateParams.Components", len(t.Components), 1, 20)
	checkParts(&p, "TemplateCreateParams.Components", t.Components)
	return p.err()
}

func checkTemplateName(p *problems, what, name, language string, category graph.TemplateCategory) {
	if !templateNameRe.MatchString(name) {
		p.put(true, name == "", "%s.Name must be lower-case letters, digits and underscores", []any{what})
	}
	p.atMost(what+".Name", name, 512)
	p.needs(what+".Language", language)
	p.needs(what+".Category", string(category))
}

// checkParts checks the components of a template.
func checkParts(p *problems, where string, parts []ComponentDefinition) {
	seen := map[string]bool{}
	for i, part := range parts {
		at := where + "[" + strconv.Itoa(i) + "]"
		kind := strings.ToUpper(string(part.Type))
		p.needs(at+".Type", kind)
		p.unique(at+".Type", kind, seen)
		part.check(p, at)
	}
}

// variableRe finds the variables of a text.
var variableRe = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)

// check checks a component by the rules of its type. Meta takes types in small letters as well. A
// type that is unknown here passes, as do rules that only the review knows.
func (t ComponentDefinition) check(p *problems, at string) {
	switch ComponentType(strings.ToUpper(string(t.Type))) {
	case ComponentHeader:
		t.checkHeader(p, at)
	case ComponentBody:
		t.checkBody(p, at)
	case ComponentFooter:
		if t.CodeExpirationMinutes == 0 {
			p.text(at+".Text", t.Text, 60)
		} else {
			p.within(at+".CodeExpirationMinutes", t.CodeExpirationMinutes, 1, 90)
		}
		if variableRe.MatchString(t.Text) {
			p.limit("%s.Text has a variable; a footer has none", at)
		}
	case ComponentButtons:
		checkTemplateButtons(p, at, t.Buttons)
	case ComponentCarousel:
		p.count(at+".Cards", len(t.Cards), 2, 10)
		for i, card := range t.Cards {
			checkParts(p, at+".Cards["+strconv.Itoa(i)+"]", card.Components)
		}
	case ComponentOffer:
		if t.Offer == nil {
			p.missing("%s.Offer is nil", at)
		} else {
			p.text(at+".Offer.Text", t.Offer.Text, 16)
		}
	default:
	}
}

// checkHeader checks a header: text with one variable at most, or a file, for which the review
// needs a sample.
func (t ComponentDefinition) checkHeader(p *problems, at string) {
	p.needs(at+".Format", string(t.Format))
	switch t.Format {
	case HeaderText:
		p.text(at+".Text", t.Text, 60)
		variables := variableRe.FindAllString(t.Text, -1)
		if len(variables) > 1 {
			p.limit("%s.Text has %d variables; a header has one", at, len(variables))
		}
		hasSample := t.Example != nil && len(t.Example.HeaderText)+len(t.Example.HeaderNamed) > 0
		if len(variables) > 0 && !hasSample {
			p.put(true, true,
				"%s.Example says nothing of the variable; Meta wants HeaderText or HeaderNamed", []any{at})
		}
	case HeaderImage, HeaderVideo, HeaderDocument, HeaderGIF:
		if t.Example == nil || len(t.Example.HeaderHandle) == 0 {
			p.put(true, true, "%s.Example has no HeaderHandle; upload a sample with Uploads.Upload", []any{at})
		}
	default:
	}
}

// checkBody checks a body: its length, and its variables, each of which needs a sample. An empty
// one passes: Meta writes that of authentication templates.
func (t ComponentDefinition) checkBody(p *problems, at string) {
	p.atMost(at+".Text", t.Text, 1024)
	variables := variableRe.FindAllString(t.Text, -1)
	text := strings.TrimSpace(t.Text)
	places := variableRe.FindAllStringIndex(text, -1)
	if n := len(places); n > 0 && (places[0][0] == 0 || places[n-1][1] == len(text)) {
		p.limit("%s.Text begins or ends with a variable, which Meta refuses (2388299)", at)
	}
	hasSample := t.Example != nil && len(t.Example.BodyText)+len(t.Example.BodyNamed) > 0
	if len(variables) > 0 && !hasSample {
		p.put(true, true, "%s.Example says nothing of the variables; Meta wants BodyText or BodyNamed", []any{at})
	}
}

// maxButtons is how many buttons of a type a template may have, where that is fewer than ten.
var maxButtons = map[ButtonDefinitionType]int{
	ButtonDefinitionURL: 2, ButtonDefinitionPhone: 1, ButtonDefinitionCopyCode: 1,
}

// checkTemplateButtons checks the buttons of a template, each by itself and all together: how many
// there are of a type, and that quick replies stand in one group, before or after the others.
func checkTemplateButtons(p *problems, at string, buttons []ButtonDefinition) {
	p.count(at+".Buttons", len(buttons), 1, 10)
	counts := map[ButtonDefinitionType]int{}
	runs := 0 // of quick replies
	for i, b := range buttons {
		b.check(p, at+".Buttons["+strconv.Itoa(i)+"]")
		counts[b.Type]++
		if b.Type == ButtonDefinitionQuickReply && (i == 0 || buttons[i-1].Type != ButtonDefinitionQuickReply) {
			runs++
		}
	}
	for kind, most := range maxButtons {
		if counts[kind] > most {
			p.limit("%s has %d buttons of type %s; Meta accepts %d", at, counts[kind], kind, most)
		}
	}
	if runs > 1 {
		p.limit("%s has quick replies in %d places; they must stand together", at, runs)
	}
}

// check checks one button by the rules of its type. A type that is unknown here passes.
func (b ButtonDefinition) check(p *problems, at string) {
	p.needs(at+".Type", string(b.Type))
	p.atMost(at+".Text", b.Text, 25)
	switch b.Type {
	case ButtonDefinitionQuickReply:
		p.required(at+".Text", b.Text)
	case ButtonDefinitionURL:
		p.required(at+".Text", b.Text)
		p.text(at+".URL", b.URL, 2000)
		if loc := variableRe.FindStringIndex(b.URL); loc != nil {
			if loc[1] != len(b.URL) {
				p.limit("%s.URL has its variable not at the end", at)
			}
			if len(b.Example) == 0 {
				p.put(true, true, "%s.Example is empty although URL has a variable", []any{at})
			}
		}
	case ButtonDefinitionPhone:
		p.required(at+".Text", b.Text)
		p.text(at+".PhoneNumber", b.PhoneNumber, 20)
	case ButtonDefinitionFlow:
		if n := count(b.FlowID != "", b.FlowName != "", b.FlowJSON != ""); n != 1 {
			p.put(true, n == 0, "%s takes one of FlowID, FlowName and FlowJSON", []any{at})
		}
	case ButtonDefinitionOTP:
		p.required(at+".OTPType", string(b.OTPType))
		p.count(at+".Apps", len(b.Apps), 0, 5)
	default:
	}
}

// count returns how many are true.
func count(list ...bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}
