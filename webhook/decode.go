package webhook

import "errors"

// ErrNotJSON says that a body is no JSON value that could be a delivery: broken, cut short, or not an object at all.
var ErrNotJSON = errors.New("webhook: the body is not a JSON object")

// Decode returns what a body tells, in the order of the body.
func Decode(body []byte) ([]Event, error) {
	return nil, ErrNotJSON
}

func undecodableBody(body []byte, err error) Event { return &Undecodable{Err: err} }
