package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// beginSignup has a business open the page of the signup. finish brings what the popup gave it, and
// returns an error unless the business is connected.
func (t *trial) beginSignup(ctx context.Context) (finish func() error, err error) {
	phone := t.meta.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(t.meta.ClientConfig())
	if err != nil {
		return nil, err
	}
	keys, err := signup.NewKeyring(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	const tenant = "tenant-1"
	var attempt *signup.Attempt
	in := func(do func(*signup.Flow) error) error {
		return t.inStorage(ctx, func(db *storage.DB) error {
			flow, err := signup.NewFlow(signup.Config{
				ConfigurationID: "1", Client: client, Store: db.Signups(), Cipher: keys,
			})
			if err != nil {
				return err
			}
			return do(flow)
		})
	}
	err = in(func(flow *signup.Flow) (err error) {
		attempt, err = flow.StartAttempt(ctx, tenant)
		return err
	})
	return func() error {
		return in(func(flow *signup.Flow) error {
			// A look at what is to be forgotten, as every page makes.
			if _, err := flow.StartAttempt(ctx, tenant); err != nil {
				return err
			}
			code := t.meta.AddCode(cloudapitest.AuthorizationCode{Token: cloudapitest.Token{WABAs: phone.WABAs}})
			c, err := flow.Finish(ctx, signup.Submission{State: attempt.State, Tenant: tenant, Code: code})
			if err != nil {
				return fmt.Errorf("a signup that began before the clock was set: %w", err)
			}
			if c.Phone.ID != phone.ID {
				return errors.New("the signup has connected another number")
			}
			return nil
		})
	}, err
}
