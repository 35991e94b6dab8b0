package flowendpoint_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/flowendpoint"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/flowendpoint/flowendpointtest"
)

// A Flow that asks for a day. The phone of the example is played by flowendpointtest.
func Example() {
	type Day struct {
		Day string `json:"day"`
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	endpoint, err := flowendpoint.New(
		flowendpoint.Config{AppSecret: "app-secret", Keys: []*rsa.PrivateKey{key}},
		flowendpoint.HandlerFunc(func(_ context.Context, r *flowendpoint.Request) (flowendpoint.Response, error) {
			if r.Action == flowendpoint.ActionInit {
				return flowendpoint.NewScreen("BOOKING", Day{"2027-01-04"})
			}
			chosen, err := flowendpoint.Data[Day](r)
			if err != nil {
				return nil, err
			}
			return flowendpoint.NewCompletion(r, chosen)
		}),
	)
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(endpoint)
	defer server.Close()

	phone := flowendpointtest.Phone{Key: &key.PublicKey, AppSecret: "app-secret"}
	for _, request := range []string{
		`{"version":"3.0","action":"INIT","flow_token":"booking-7"}`,
		`{"version":"3.0","action":"data_exchange","screen":"BOOKING","data":{"day":"2027-01-05"},` +
			`"flow_token":"booking-7"}`,
	} {
		status, answer, err := phone.Ask(context.Background(), server.URL, request)
		if err != nil {
			panic(err)
		}
		fmt.Println(status, string(answer))
	}
	// Output:
	// 200 {"screen":"BOOKING","data":{"day":"2027-01-04"}}
	// 200 {"screen":"SUCCESS","data":{"extension_message_response":{"params":{"day":"2027-01-05","flow_token":"booking-7"}}}}
}

// A Flow whose order was placed already. The person reads the message.
func ExampleInvalidToken() {
	handler := flowendpoint.HandlerFunc(func(context.Context, *flowendpoint.Request) (flowendpoint.Response, error) {
		return nil, flowendpoint.InvalidToken("This order was placed already.")
	})
	_, err := handler.Handle(context.Background(), &flowendpoint.Request{})
	fmt.Println(err)
	// Output: flowendpoint: the flow token is not valid any more
}

// The key of a number: kept by the server, and uploaded to Meta in its public half.
func ExampleMarshalPublicKey() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	public, err := flowendpoint.MarshalPublicKey(key) // for cloudapi.FlowsService.SetKey
	fmt.Println(public[:len("-----BEGIN PUBLIC KEY-----")], err)
	// Output: -----BEGIN PUBLIC KEY----- <nil>
}

// A key of a file, of PKCS #8 or PKCS #1.
func ExampleParsePrivateKey() {
	_, err := flowendpoint.ParsePrivateKey([]byte("no key"))
	fmt.Println(err)
	// Output: flowendpoint: the key is not PEM
}

// All mistakes of a Config are reported at once.
func ExampleNew() {
	_, err := flowendpoint.New(flowendpoint.Config{AppSecret: "app-secret"}, nil)
	fmt.Println(err != nil)
	// Output: true
}
