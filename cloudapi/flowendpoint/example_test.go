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
