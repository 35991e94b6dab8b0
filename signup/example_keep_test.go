package signup_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func ExampleParseKeyring() {
	keys := graph.Secret("MzIgcmFuZG9tIGJ5dGVzIGZyb20gdGhlIHNlY3JldHM=") // os.Getenv, or a secret manager
	cipher, err := signup.ParseKeyring(keys)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := cipher.Encrypt([]byte("a token"), []byte("tenant-1"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = cipher.Decrypt(sealed, []byte("tenant-2"))
	fmt.Println(err)
	// Output: signup: a record cannot be decrypted; is the key that sealed it missing?
}

// At the start of a process: signups that another one left behind go on.
func ExampleFlow_ResumeAll() {
	srv := httptest.NewServer(happy()) // stands for Meta
	defer srv.Close()
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: "app-secret", BaseURL: srv.URL})
	if err != nil {
		log.Fatal(err)
	}
	broken := true
	flow, err := signup.NewFlow(signup.Config{
		ConfigurationID: "900000000000001", Client: client, // and a Store with a Cipher, to survive more than a mistake
		Progress: func(_ context.Context, step signup.Step, _ *signup.Connection) error {
			if broken && step == signup.StepSubscribe {
				return errors.New("the database is down")
			}
			return nil
		},
		Connected: func(_ context.Context, b *signup.Connection) error {
			fmt.Println(b.Tenant, "is connected")
			return nil // store b, its token encrypted
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	attempt, err := flow.StartAttempt(ctx, "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	_, err = flow.Finish(ctx, signup.Submission{State: attempt.State, Tenant: "tenant-1", Code: "AQB…"})
	fmt.Println(err != nil)

	broken = false
	if _, err = flow.ResumeAll(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// true
	// tenant-1 is connected
}

// The popup was finished and no code came. A person has looked up whose business this is.
func ExampleFlow_Recover() {
	srv := httptest.NewServer(happy())
	defer srv.Close()
	client, err := cloudapi.NewClient(cloudapi.Config{
		// a system user's token
		AppID: appID, AppSecret: "app-secret", AccessToken: "canary-system-token", BaseURL: srv.URL,
	})
	if err != nil {
		log.Fatal(err)
	}
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client})
	if err != nil {
		log.Fatal(err)
	}
	// From the webhook account_update, event PARTNER_ADDED: waba_info.waba_id and
	// waba_info.owner_business_id.
	b, err := flow.Recover(context.Background(), "tenant-1", signup.SharedAccount{WABAID: wabaA, BusinessID: business})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Outcome, b.Phone.ID)
	// Output: ready 400000000000001
}

func ExampleFlow_Revoke() {
	srv := httptest.NewServer(happy())
	defer srv.Close()
	client, err := cloudapi.NewClient(cloudapi.Config{
		AppID: appID, AppSecret: "app-secret", AccessToken: "canary-system-token", BaseURL: srv.URL,
	})
	if err != nil {
		log.Fatal(err)
	}
	flow, err := signup.NewFlow(signup.Config{
		ConfigurationID: "900000000000001", Client: client,
		Credit: &signup.Credit{
			Line: "200000000000001",
			Approve: func(_ context.Context, b *signup.Connection) (string, error) {
				return "EUR", nil // once this business is known and has a contract
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	attempt, err := flow.StartAttempt(ctx, "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	b, err := flow.Finish(ctx, signup.Submission{State: attempt.State, Tenant: "tenant-1", Code: "AQB…"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Credit.Currency, b.Credit.Allocation)
	fmt.Println(flow.Revoke(ctx, b)) // when the contract ends
	// Output:
	// EUR 910000000000000
	// <nil>
}

func ExampleFlow_HostedURL() {
	flow, err := newFlow("")
	if err != nil {
		log.Fatal(err)
	}
	_, err = flow.HostedURL(signup.LaunchOptions{})
	fmt.Println(err)
	// Output: signup: HostedURL: the page that Meta hosts connects no WhatsApp Business app users; use Launch or RedirectURL for coexistence
}

func ExampleDiagnose() {
	meta := cloudapitest.NewServer(cloudapitest.Config{}) // stands for Meta
	defer meta.Close()
	meta.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://hooks.example.com/whatsapp", Fields: []string{"messages", "account_update"}})
	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	d := signup.Diagnose(context.Background(), signup.Config{ConfigurationID: "900000000000001", Client: client},
		signup.DiagnoseOptions{SystemToken: meta.SystemToken()})
	fmt.Println(d.OK())
	for _, f := range d {
		if f.Level == signup.FindingProblem {
			fmt.Println(f.Text)
		}
	}
	// Output:
	// false
	// not subscribed to history, smb_app_state_sync, smb_message_echoes
}

// An ordinary number, which is in no app, is registered at the end. Each gets a PIN of its own.
func ExampleConfig_pin() {
	pins := map[graph.PhoneNumberID]graph.Secret{} // the host's vault
	cfg := signup.Config{
		Mode: signup.ModeStandard,
		PIN: func(_ context.Context, b *signup.Connection) (graph.Secret, error) {
			if pins[b.Phone.ID] == "" {
				pins[b.Phone.ID] = "493027" // six random digits
			}
			return pins[b.Phone.ID], nil
		},
	}
	fmt.Println(cfg.PIN != nil)
	// Output: true
}
