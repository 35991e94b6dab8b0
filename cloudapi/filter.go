package cloudapi

import (
	"encoding/json"
	"net/url"
)

// A Filter is a condition on a field. Meta's operators are words such as EQUAL, GREATER_THAN, IN
// and CONTAIN; each listing knows some of them.
type Filter struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    string `json:"value"` // times are Unix seconds
}

// Filters are conditions that must all hold.
type Filters []Filter

// EncodeValues writes the conditions as Meta expects them, as JSON in one query parameter.
func (f Filters) EncodeValues(key string, v *url.Values) error {
	if len(f) == 0 {
		return nil
	}
	b, err := json.Marshal([]Filter(f))
	if err != nil {
		return err
	}
	v.Set(key, string(b))
	return nil
}
