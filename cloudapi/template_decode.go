package cloudapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// UnmarshalJSON reads what MarshalJSON writes. Components and parameters of unknown types become
// *[RawComponent] and *[RawParameter].
func (t *Template) UnmarshalJSON(b []byte) error {
	var v struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
		Components []json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*t = Template{Name: v.Name, Language: v.Language.Code}
	for _, raw := range v.Components {
		c, err := decodeComponent(raw)
		if err != nil {
			return err
		}
		t.Components = append(t.Components, c)
	}
	return nil
}

// decodeComponent reads an element of "components". Whatever is not as the types here write it,
// such as a header of two parameters, becomes a [RawComponent] with all that it holds.
func decodeComponent(raw json.RawMessage) (TemplateComponent, error) {
	var v struct {
		Type       string            `json:"type"`
		SubType    string            `json:"sub_type"`
		Index      flexString        `json:"index"`
		Parameters []json.RawMessage `json:"parameters"`
		Cards      []struct {
			Components []json.RawMessage `json:"components"`
		} `json:"cards"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("cloudapi: a template component does not decode: %w", err)
	}
	switch kind := strings.ToLower(v.Type); {
	case kind == "header" && len(v.Parameters) == 1:
		param, err := decodeParameter(v.Parameters[0])
		return &TemplateHeader{param}, err
	case kind == "body":
		params, err := decodeParameters(v.Parameters)
		return &TemplateBody{params}, err
	case kind == "button" && len(v.Parameters) > 0:
		return decodeButton(ButtonType(strings.ToLower(v.SubType)), string(v.Index), v.Parameters, raw)
	case kind == "carousel":
		c := &TemplateCarousel{}
		for _, card := range v.Cards {
			var parts TemplateCard
			for _, raw := range card.Components {
				part, err := decodeComponent(raw)
				if err != nil {
					return nil, err
				}
				parts = append(parts, part)
			}
			c.Cards = append(c.Cards, parts)
		}
		return c, nil
	case len(v.Parameters) == 1:
		return decodeSpecial(kind, v.Parameters[0], raw)
	}
	return &RawComponent{bytes.Clone(raw)}, nil
}

// decodeSpecial reads a component whose one parameter is an object of its own.
func decodeSpecial(kind string, parameter, raw json.RawMessage) (TemplateComponent, error) {
	var v struct {
		Offer  *offerJSON           `json:"limited_time_offer"`
		Order  *TemplateOrderStatus `json:"order_status"`
		Target []TemplateTapTarget  `json:"tap_target_configuration"`
	}
	if err := json.Unmarshal(parameter, &v); err != nil {
		return nil, fmt.Errorf("cloudapi: a template component does not decode: %w", err)
	}
	switch {
	case kind == "limited_time_offer" && v.Offer != nil:
		return &TemplateOffer{time.UnixMilli(v.Offer.Milliseconds).UTC()}, nil
	case kind == "order_status" && v.Order != nil:
		return v.Order, nil
	case kind == "tap_target_configuration" && len(v.Target) == 1:
		return &v.Target[0], nil
	}
	return &RawComponent{bytes.Clone(raw)}, nil
}

// decodeButton reads a button, whose kind says how its parameters look. The parameter of a voice
// call is written as two elements if it has two members.
func decodeButton(
	kind ButtonType, index string, params []json.RawMessage, raw json.RawMessage,
) (TemplateComponent, error) {
	n, err := strconv.Atoi(index)
	if err != nil {
		return &RawComponent{bytes.Clone(raw)}, nil //nolint:nilerr // an index that is no number is for Meta to judge
	}
	b := &TemplateButton{Type: kind, Index: n}
	switch {
	case kind == ButtonVoiceCall:
		b.Parameter, err = decodeVoiceCall(params)
	case len(params) > 1:
		return &RawComponent{bytes.Clone(raw)}, nil
	case kind == ButtonCatalog, kind == ButtonProducts, kind == ButtonFlow, kind == ButtonOrderDetails:
		b.Parameter, err = decodeButtonAction(kind, params[0])
	default:
		b.Parameter, err = decodeParameter(params[0])
	}
	return b, err
}

// decodeVoiceCall joins the elements of a voice call's parameter.
func decodeVoiceCall(params []json.RawMessage) (TemplateParameter, error) {
	all := &CallButtonParameter{}
	for _, raw := range params {
		var v struct {
			TTL     flexInt `json:"ttl_minutes"`
			Payload string  `json:"payload"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		if v.TTL != 0 {
			all.TTLMinutes = int(v.TTL)
		}
		if v.Payload != "" {
			all.Payload = v.Payload
		}
	}
	return all, nil
}

// decodeButtonAction reads the parameter of a button whose kind has an action. The elements all say
// {"type":"action"}, so only the kind of the button tells what is inside.
func decodeButtonAction(kind ButtonType, raw json.RawMessage) (TemplateParameter, error) {
	var v struct {
		Action json.RawMessage `json:"action"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v.Action == nil {
		return &RawParameter{bytes.Clone(raw)}, nil
	}
	var param TemplateParameter
	var err error
	switch kind {
	case ButtonCatalog:
		c := &CatalogParameter{}
		err, param = json.Unmarshal(v.Action, c), c
	case ButtonProducts:
		c := &ProductsParameter{}
		err, param = json.Unmarshal(v.Action, c), c
	case ButtonFlow:
		c := &FlowParameter{}
		err, param = json.Unmarshal(v.Action, c), c
	default:
		c := &OrderDetailsParameter{}
		err, param = json.Unmarshal(v.Action, &orderDetailsAction{(*plainOrderDetails)(&c.Order)}), c
	}
	return param, err
}

func decodeParameters(raw []json.RawMessage) ([]TemplateParameter, error) {
	var list []TemplateParameter
	for _, r := range raw {
		param, err := decodeParameter(r)
		if err != nil {
			return nil, err
		}
		list = append(list, param)
	}
	return list, nil
}

// parameterJSON has the members of every parameter; an element has those of its type.
type parameterJSON struct {
	Type     string      `json:"type"`
	Name     string      `json:"parameter_name"`
	Text     string      `json:"text"`
	Payload  string      `json:"payload"`
	Coupon   string      `json:"coupon_code"`
	GroupID  string      `json:"group_id"`
	Image    MediaSource `json:"image"`
	Video    MediaSource `json:"video"`
	GIF      MediaSource `json:"gif"`
	Location *Location   `json:"location"`
	Product  Product     `json:"product"`
	Document struct {
		MediaSource
		Filename string `json:"filename"`
	} `json:"document"`
	Currency struct {
		Fallback   string `json:"fallback_value"`
		Code       string `json:"code"`
		Amount1000 int64  `json:"amount_1000"`
	} `json:"currency"`
	DateTime struct {
		Fallback string `json:"fallback_value"`
	} `json:"date_time"`
}

// decodeParameter reads an element of "parameters" by its type. One of a type that is unknown here
// becomes a [RawParameter].
func decodeParameter(raw json.RawMessage) (TemplateParameter, error) {
	var v parameterJSON
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("cloudapi: a template parameter does not decode: %w", err)
	}
	switch v.Type {
	case "text":
		return &TextParameter{v.Name, v.Text}, nil
	case "currency":
		return &CurrencyParameter{v.Currency.Fallback, v.Currency.Code, v.Currency.Amount1000}, nil
	case "date_time":
		return &DateTimeParameter{v.DateTime.Fallback}, nil
	case "image":
		return &ImageParameter{v.Image}, nil
	case "video":
		return &VideoParameter{v.Video}, nil
	case "gif":
		return &GIFParameter{v.GIF}, nil
	case "document":
		return &DocumentParameter{v.Document.MediaSource, v.Document.Filename}, nil
	case "location":
		if v.Location != nil {
			return (*LocationParameter)(v.Location), nil
		}
	case "product":
		return (*ProductParameter)(&v.Product), nil
	case "group_id":
		return &GroupParameter{v.GroupID}, nil
	case "payload":
		return &PayloadParameter{v.Payload}, nil
	case "coupon_code":
		return &CouponCodeParameter{v.Coupon}, nil
	}
	return &RawParameter{bytes.Clone(raw)}, nil
}
