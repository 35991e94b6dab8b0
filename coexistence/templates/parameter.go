package templates

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ParameterError says that a message fills a template in wrongly. It holds no value of the
// message.
type ParameterError struct {
	Name, Language string
	Problem        string // what is wrong, and what the template has
}

// Error names the template and the problem.
func (e *ParameterError) Error() string {
	return fmt.Sprintf("templates: %s in %s: %s", e.Name, e.Language, e.Problem)
}

// variable is one of the variables of a text.
var variable = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)

// variables returns the names of the variables of a text, each once.
func variables(text string) (names []string) {
	for _, match := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, match[1]) {
			names = append(names, match[1])
		}
	}
	return names
}

// checkParameters reports what a message lacks, or has too much, of what the header, the body and
// the links of a template take. Of authentication templates, whose texts Meta writes, and of what
// has raw or unknown components, Meta decides.
func checkParameters(found *cloudapi.MessageTemplate, t *cloudapi.Template) error {
	if found.Category == graph.TemplateAuthentication {
		return nil
	}
	var header *cloudapi.TemplateHeader
	var body *cloudapi.TemplateBody
	buttons := map[int]bool{}
	for _, c := range t.Components {
		switch c := c.(type) {
		case *cloudapi.TemplateHeader:
			header = c
		case *cloudapi.TemplateBody:
			body = c
		case *cloudapi.TemplateButton:
			buttons[c.Index] = true
		case *cloudapi.RawComponent:
			return nil
		default:
		}
	}
	problem := ""
	for _, part := range found.Components {
		if problem != "" {
			break
		}
		switch part.Type {
		case cloudapi.ComponentHeader:
			problem = headerProblem(part, header)
		case cloudapi.ComponentBody:
			problem = bodyProblem(part, body, found.ParameterFormat == cloudapi.ParametersNamed)
		case cloudapi.ComponentButtons:
			for i, b := range part.Buttons {
				if b.Type == cloudapi.ButtonDefinitionURL && len(variables(b.URL)) > 0 && !buttons[i] {
					problem = fmt.Sprintf("button %d is a link with a variable, and the message does not fill it in", i)
				}
			}
		default:
		}
	}
	if problem == "" {
		return nil
	}
	return &ParameterError{found.Name, found.Language, problem}
}

// headerProblem compares a header with what fills it in.
func headerProblem(part cloudapi.ComponentDefinition, filled *cloudapi.TemplateHeader) string {
	switch part.Format {
	case cloudapi.HeaderText:
		switch n := len(variables(part.Text)); {
		case n > 0 && filled == nil:
			return "its header has a variable, and the message does not fill it in"
		case n == 0 && filled != nil:
			return "its header has no variable, and the message fills one in"
		}
	case cloudapi.HeaderImage, cloudapi.HeaderVideo, cloudapi.HeaderDocument, cloudapi.HeaderLocation:
		if filled == nil {
			return "its header is of the format " + string(part.Format) + ", and the message has none"
		}
	default:
	}
	return ""
}

// bodyProblem compares the variables of a body with the values of a message.
func bodyProblem(part cloudapi.ComponentDefinition, filled *cloudapi.TemplateBody, named bool) string {
	want := variables(part.Text)
	var have []string
	if filled != nil {
		for _, p := range filled.Parameters {
			text, ok := p.(*cloudapi.TextParameter)
			switch {
			case !ok && named:
				return "" // only texts have names here
			case ok:
				have = append(have, text.Name)
			default:
				have = append(have, "")
			}
		}
	}
	if len(have) != len(want) {
		return fmt.Sprintf("its body has %d variables, and the message fills in %d", len(want), len(have))
	}
	if !named {
		return ""
	}
	for _, name := range want {
		if !slices.Contains(have, name) {
			return "its body has the variable " + name + ", and the message does not fill it in"
		}
	}
	return ""
}
