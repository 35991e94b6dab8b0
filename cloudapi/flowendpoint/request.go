package flowendpoint

import (
	"context"
	"encoding/json"
	"errors"
)

// A Request is a decrypted request of a phone.
type Request struct {
	// Version is the version of the data exchange, such as "3.0".
	Version string `json:"version"`

	// Action is why the phone asks.
	Action Action `json:"action"`

	// Screen is the screen the person is on; empty with ActionInit.
	Screen string `json:"screen"`

	// FlowToken is the flow token of the message that opened the Flow. Prove who it belongs to; a
	// phone can send any.
	FlowToken string `json:"flow_token"`

	// Data is the data of the screen. [Data] decodes it into a type of yours.
	Data json.RawMessage `json:"data"`
}

// An Action is why a phone asks. Meta may add values.
type Action string

const (
	// ActionInit: the Flow opens, and asks for its first screen.
	ActionInit Action = "INIT"

	// ActionDataExchange: the person sent a screen.
	ActionDataExchange Action = "data_exchange"

	// ActionBack: the person went back to a screen that asks to be refreshed then.
	ActionBack Action = "BACK"

	actionPing Action = "ping"
)

// Data reads the data of a request into a T. It fails if the Flow sends data of a different shape
// than T, or if a request was forged on a phone.
func Data[T any](r *Request) (T, error) {
	var v T
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return v, errors.New("flowendpoint: the data of the request has a different shape than the handler expects")
	}
	return v, nil
}

// A ClientError reports that a phone could not use an earlier answer.
type ClientError struct {
	Code    string `json:"error"`         // such as "invalid-screen-transition"
	Message string `json:"error_message"` // for developers
}

// clientError reads a report of an error, which has the action of the request that failed and is
// told by its data alone. A Flow whose screens have members of both these names cannot be
// distinguished from one.
func (r *Request) clientError() (ClientError, bool) {
	var e ClientError
	if json.Unmarshal(r.Data, &e) != nil || e.Code == "" || e.Message == "" {
		return ClientError{}, false
	}
	return e, true
}

// A Handler answers requests. It must be safe for concurrent use. The phone waits ten seconds.
type Handler interface {
	Handle(ctx context.Context, r *Request) (Response, error)
}

// A HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, r *Request) (Response, error)

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, r *Request) (Response, error) { return f(ctx, r) }

// A Response is the next step of a Flow: *[Screen] or *[Completion].
//
//sumtype:decl
type Response interface {
	json.Marshaler

	response()
}

func (*Screen) response()     {}
func (*Completion) response() {}

// A Screen shows a screen, the same or another.
type Screen struct {
	// Name is the id of a screen in the Flow's JSON.
	Name string

	// Data is an object with what the screen shows. The member error_message of it is shown as an
	// error.
	Data json.RawMessage
}

// NewScreen returns a screen with data of any type that encodes as a JSON object. A phone that gets
// data of a different shape than the Flow's JSON declares reports a [ClientError].
func NewScreen[T any](name string, data T) (*Screen, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return nil, errors.New("flowendpoint: the data of a screen does not encode")
	}
	return &Screen{name, b}, nil
}

// MarshalJSON writes the answer. Nil data is an empty object.
func (s *Screen) MarshalJSON() ([]byte, error) {
	data := s.Data
	if data == nil {
		data = json.RawMessage("{}")
	}
	return json.Marshal(struct {
		Screen string          `json:"screen"`
		Data   json.RawMessage `json:"data"`
	}{s.Name, data})
}

// A Completion ends the Flow. What Params hold arrives as a webhook.IncomingMessage with the answer
// to the Flow.
type Completion struct {
	// FlowToken is the request's flow token, which Meta requires back.
	FlowToken string

	// Params is an object, or nil.
	Params json.RawMessage
}

// NewCompletion returns a Completion of the request's Flow, with parameters of any type that
// encodes as a JSON object.
func NewCompletion[T any](r *Request, params T) (*Completion, error) {
	b, err := json.Marshal(params)
	if err != nil {
		return nil, errors.New("flowendpoint: the parameters of a Completion do not encode")
	}
	return &Completion{r.FlowToken, b}, nil
}

// MarshalJSON writes the answer: Meta's reserved screen SUCCESS, with the flow token among the
// parameters. A parameter of the name flow_token is replaced.
func (c *Completion) MarshalJSON() ([]byte, error) {
	params := map[string]json.RawMessage{}
	if c.Params != nil {
		if err := json.Unmarshal(c.Params, &params); err != nil || params == nil {
			return nil, errors.New("flowendpoint: Completion.Params is not an object")
		}
	}
	token, err := json.Marshal(c.FlowToken)
	if err != nil {
		return nil, err
	}
	params["flow_token"] = token
	type extension struct {
		Params map[string]json.RawMessage `json:"params"`
	}
	type data struct {
		Extension extension `json:"extension_message_response"`
	}
	return json.Marshal(struct {
		Screen string `json:"screen"`
		Data   data   `json:"data"`
	}{"SUCCESS", data{extension{params}}})
}

// InvalidToken is the error of a Flow that is over, such as an order that was placed already. The
// person reads the message, and the button of the chat opens the Flow no more.
func InvalidToken(message string) error { return &invalidToken{message} }

// An invalidToken is the error that ServeHTTP answers with 427 and the message, encrypted.
type invalidToken struct{ message string }

func (*invalidToken) Error() string { return "flowendpoint: the flow token is not valid any more" }
