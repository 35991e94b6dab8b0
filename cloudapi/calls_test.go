package cloudapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// More made-up names, of what the services in this file are about.
const (
	groupID         graph.GroupID            = "Y2FwaV9ncm91cDo5"
	templateID      graph.TemplateID         = "600000000000006"
	templateGroupID cloudapi.TemplateGroupID = "620000000000014"
	flowID          graph.FlowID             = "700000000000007"
	mediaID         graph.MediaID            = "800000000000008"
	creditID        cloudapi.CreditLineID    = "900000000000009"
	allocID         cloudapi.AllocationID    = "910000000000010"
	uploadID                                 = "upload:MTphdHRhY2htZW50"
	callID          graph.CallID             = "wacid.HBgLMTU1NTAxMDAxMjM"
	qrCode                                   = "4O4YGZEG3RIVE1"
	privateOne                               = "a private matter of the business"
)

// rsaPEM is a made-up public key of 2048 bits.
var rsaPEM = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
})

// drain walks through a list to its end or its first error.
func drain[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func only[T any](_ T, err error) error { return err }

type callFunc = func(context.Context, *cloudapi.Client) error

// managementCalls are the methods beside messages and signup, each with made-up arguments.
func managementCalls() map[string]callFunc {
	person := cloudapi.ToPhone(customer)
	ordinary := &cloudapi.Phone{ID: phoneID, Raw: []byte(`{"is_on_biz_app":false}`)}
	period := cloudapi.AnalyticsQuery{
		Start: time.Unix(1790000000, 0), End: time.Unix(1790086400, 0), Phones: []string{"15550100123"},
	}
	offer := graph.CallSession{Type: graph.SDPOffer, SDP: privateOne}
	answer := graph.CallSession{Type: graph.SDPAnswer, SDP: privateOne}
	parts := []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: privateOne}}
	return map[string]callFunc{
		"Messages.SendMarketing": func(ctx context.Context, c *cloudapi.Client) error {
			m := text()
			m.Content = &cloudapi.Template{Name: "sale", Language: "en_US"}
			return only(c.Messages.SendMarketing(ctx, phoneID, m, cloudapi.MarketingOptions{
				Policy: cloudapi.ProductPolicyStrict, Bid: &cloudapi.BidSpec{PerMessageBidMultiplier: 0.5},
			}))
		},
		"Media.Upload": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Media.Upload(ctx, phoneID, cloudapi.MediaUpload{
				MIMEType: "image/png", Filename: privateOne, Body: strings.NewReader("png"),
			}))
		},
		"Media.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Media.Get(ctx, mediaID, cloudapi.MediaOptions{PhoneNumberID: phoneID}))
		},
		"Media.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Media.Delete(ctx, mediaID, cloudapi.MediaOptions{PhoneNumberID: phoneID})
		},
		"Uploads.Upload": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Uploads.Upload(ctx, cloudapi.FileUpload{
				Filename: privateOne, MIMEType: "image/png", Size: 3, Body: strings.NewReader("png"),
			}))
		},

		"Profiles.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Profiles.Get(ctx, phoneID))
		},
		"Profiles.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Profiles.Update(ctx, phoneID, cloudapi.ProfileUpdateParams{About: new(privateOne)})
		},
		"Phones.SetWebhook": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Phones.SetWebhook(ctx, phoneID, cloudapi.WebhookOverride{
				CallbackURL: "https://example.com/webhook", VerifyToken: "verify-token-1b2c3d",
			})
		},
		"Phones.RequestName": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Phones.RequestName(ctx, phoneID, privateOne)
		},
		"Phones.SetPIN": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Phones.SetPIN(ctx, phoneID, "918273")
		},
		"Phones.SetSearchVisibility": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Phones.SetSearchVisibility(ctx, phoneID, cloudapi.SearchHidden)
		},
		"Registration.Add": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Registration.Add(ctx, wabaID, cloudapi.PhoneNumberAddParams{
				CountryCode: "1", PhoneNumber: "5550100123", VerifiedName: privateOne,
			}))
		},
		"Registration.RequestCode": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Registration.RequestCode(ctx, phoneID, cloudapi.CodeBySMS, "en_US")
		},
		"Registration.VerifyCode": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Registration.VerifyCode(ctx, phoneID, "918273")
		},
		"Registration.Register": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Registration.Register(ctx, ordinary, cloudapi.RegisterParams{PIN: "918273"})
		},
		"Registration.Deregister": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Registration.Deregister(ctx, ordinary)
		},
		"Settings.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Settings.Get(ctx, phoneID))
		},
		"Settings.SetCalling": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Settings.SetCalling(ctx, phoneID, cloudapi.CallingSettings{Status: graph.FeatureEnabled})
		},
		"Settings.SetIdentityCheck": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Settings.SetIdentityCheck(ctx, phoneID, graph.FeatureEnabled)
		},
		"Settings.SetStorage": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Settings.SetStorage(ctx, phoneID, cloudapi.StorageSetting{Region: "DE"})
		},
		"Settings.SetEncryption": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Settings.SetEncryption(ctx, phoneID, cloudapi.PayloadEncryption{
				Status: graph.FeatureEnabled, ClientKey: "bWFkZS11cA==",
			})
		},
		"Health.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Health.Get(ctx, string(phoneID)))
		},
		"Block.List": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Block.List(ctx, phoneID))
		},
		"Block.Add": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Block.Add(ctx, phoneID, person))
		},
		"Block.Remove": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Block.Remove(ctx, phoneID, person))
		},
		"QR.List": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.QR.List(ctx, phoneID, cloudapi.QROptions{Image: cloudapi.QRPNG}))
		},
		"QR.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.QR.Get(ctx, phoneID, qrCode, cloudapi.QROptions{}))
		},
		"QR.Create": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.QR.Create(ctx, phoneID, cloudapi.QRCreateParams{
				PrefilledMessage: privateOne, Image: cloudapi.QRSVG,
			}))
		},
		"QR.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.QR.Update(ctx, phoneID, qrCode, cloudapi.QRUpdateParams{PrefilledMessage: privateOne}))
		},
		"QR.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return c.QR.Delete(ctx, phoneID, qrCode)
		},
		"Threads.Pass": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Threads.Pass(ctx, phoneID, graph.RoleCustomerService,
				cloudapi.ThreadParams{To: person, Metadata: privateOne}))
		},
		"Threads.Release": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Threads.Release(ctx, phoneID, cloudapi.ThreadParams{To: person}))
		},
		"Threads.Take": func(ctx context.Context, c *cloudapi.Client) error {
			user := cloudapi.ToUser("US.13491208655302740142")
			return only(c.Threads.Take(ctx, phoneID, cloudapi.ThreadParams{To: user}))
		},
		"Automation.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Automation.Get(ctx, phoneID))
		},
		"Automation.Set": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Automation.Set(ctx, phoneID, cloudapi.Automation{Prompts: []string{privateOne}})
		},
		"Usernames.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Usernames.Get(ctx, phoneID))
		},
		"Usernames.Set": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Usernames.Set(ctx, phoneID, "made.up.bakery", cloudapi.UsernameSetOptions{Transfer: true}))
		},
		"Usernames.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Usernames.Delete(ctx, phoneID)
		},
		"Usernames.Suggestions": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Usernames.Suggestions(ctx, phoneID))
		},
		"ContactBook.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.ContactBook.Delete(ctx, phoneID, "US.13491208655302741918"))
		},
		"Calls.Permission": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Calls.Permission(ctx, phoneID, person))
		},
		"Calls.Connect": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Calls.Connect(ctx, phoneID, cloudapi.CallConnectParams{To: person, Session: offer}))
		},
		"Calls.PreAccept": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Calls.PreAccept(ctx, phoneID, callID, answer)
		},
		"Calls.Accept": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Calls.Accept(ctx, phoneID, callID, cloudapi.CallAcceptParams{Session: answer})
		},
		"Calls.Reject": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Calls.Reject(ctx, phoneID, callID)
		},
		"Calls.Terminate": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Calls.Terminate(ctx, phoneID, callID)
		},

		"Groups.Create": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Groups.Create(ctx, phoneID, cloudapi.GroupCreateParams{Subject: privateOne}))
		},
		"Groups.List": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Groups.List(ctx, phoneID))
		},
		"Groups.Get": func(ctx context.Context, c *cloudapi.Client) error { return only(c.Groups.Get(ctx, groupID)) },
		"Groups.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Groups.Update(ctx, groupID, cloudapi.GroupUpdateParams{Subject: new(privateOne)})
		},
		"Groups.SetPicture": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Groups.SetPicture(ctx, groupID, cloudapi.MediaUpload{
				MIMEType: "image/jpeg", Filename: privateOne, Body: strings.NewReader("jpeg"),
			})
		},
		"Groups.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Groups.Delete(ctx, groupID)
		},
		"Groups.InviteLink": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Groups.InviteLink(ctx, groupID))
		},
		"Groups.ResetInviteLink": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Groups.ResetInviteLink(ctx, groupID))
		},
		"Groups.DeleteInviteLink": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Groups.DeleteInviteLink(ctx, groupID)
		},
		"Groups.Remove": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Groups.Remove(ctx, groupID, person)
		},
		"Groups.JoinRequests": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Groups.JoinRequests(ctx, groupID))
		},
		"Groups.Approve": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Groups.Approve(ctx, groupID, "join-1"))
		},
		"Groups.Reject": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Groups.Reject(ctx, groupID, "join-1"))
		},

		"WABAs.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return c.WABAs.Update(ctx, wabaID, cloudapi.WABAUpdateParams{Name: new(privateOne)})
		},
		"WABAs.Activities": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.WABAs.Activities(ctx, wabaID, cloudapi.ActivityOptions{Since: time.Unix(1790000000, 0)}))
		},
		"WABAs.AssignedUsers": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.WABAs.AssignedUsers(ctx, wabaID, businessID))
		},
		"WABAs.AssignUser": func(ctx context.Context, c *cloudapi.Client) error {
			return c.WABAs.AssignUser(ctx, wabaID, "920000000000011", "MANAGE")
		},
		"WABAs.RemoveUser": func(ctx context.Context, c *cloudapi.Client) error {
			return c.WABAs.RemoveUser(ctx, wabaID, "920000000000011")
		},
		"Businesses.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Businesses.Get(ctx, businessID, cloudapi.BusinessGetOptions{}))
		},
		"Businesses.SystemUsers": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Businesses.SystemUsers(ctx, businessID))
		},
		"Businesses.GetToken": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Businesses.GetToken(ctx, businessID))
		},
		"Businesses.CreateToken": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Businesses.CreateToken(ctx, businessID, cloudapi.BusinessTokenParams{
				Assets: []string{string(wabaID)}, ExpiresIn60Days: true,
			}))
		},
		"Apps.ConnectedBusinesses": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Apps.ConnectedBusinesses(ctx))
		},
		"Credit.Lines": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Credit.Lines(ctx, businessID))
		},
		"Credit.ShareAndAttach": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Credit.ShareAndAttach(ctx, creditID, wabaID, "USD"))
		},
		"Credit.Share": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Credit.Share(ctx, creditID, businessID))
		},
		"Credit.Attach": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Credit.Attach(ctx, creditID, wabaID, "USD"))
		},
		"Credit.Allocation": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Credit.Allocation(ctx, allocID))
		},
		"Credit.Allocations": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Credit.Allocations(ctx, creditID, businessID))
		},
		"Credit.Revoke": func(ctx context.Context, c *cloudapi.Client) error { return c.Credit.Revoke(ctx, allocID) },

		"Templates.List": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Templates.List(ctx, wabaID, cloudapi.TemplateListOptions{}))
		},
		"Templates.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.Get(ctx, templateID))
		},
		"Templates.Create": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.Create(ctx, wabaID, cloudapi.TemplateCreateParams{
				Name: "order", Language: "en_US", Category: graph.TemplateUtility, Components: parts,
			}))
		},
		"Templates.CreateFromLibrary": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.CreateFromLibrary(ctx, wabaID, cloudapi.TemplateFromLibraryParams{
				Name: "order", Language: "en_US", Category: graph.TemplateUtility, Library: "delivery_update_1",
			}))
		},
		"Templates.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Templates.Update(ctx, templateID, cloudapi.TemplateUpdateParams{
				Components: parts, Optimization: &cloudapi.OptimizationSpec{
					BidStrategy: cloudapi.BidLowestCostWithCap, BidAmount: 40000,
				},
			})
		},
		"Templates.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Templates.Delete(ctx, wabaID, "order", templateID)
		},
		"Templates.DeleteAllLanguages": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Templates.DeleteAllLanguages(ctx, wabaID, "order")
		},
		"Templates.UpsertAuthentication": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.UpsertAuthentication(ctx, wabaID, cloudapi.AuthenticationUpsertParams{
				Name: "code", Languages: []string{"en_US"},
				Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody}},
			}))
		},
		"Templates.Previews": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Templates.Previews(ctx, wabaID, cloudapi.PreviewOptions{Languages: []string{"en_US"}}))
		},
		"Templates.Library": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Templates.Library(ctx, cloudapi.LibraryOptions{Search: "order"}))
		},
		"Templates.Migrate": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.Migrate(ctx, wabaID, cloudapi.TemplateMigrateParams{
				SourceWABAID: "210000000000012",
			}))
		},
		"Templates.Compare": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.Compare(ctx, templateID, "610000000000013", cloudapi.CompareOptions{
				Start: period.Start, End: period.End,
			}))
		},
		"Templates.Unpause": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Templates.Unpause(ctx, templateID)
		},

		"Analytics.Messages": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Analytics.Messages(ctx, wabaID, period))
		},
		"Analytics.Conversations": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Analytics.Conversations(ctx, wabaID, period))
		},
		"Analytics.Pricing": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Analytics.Pricing(ctx, wabaID, period))
		},
		"Analytics.Calls": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Analytics.Calls(ctx, wabaID, period))
		},
		"Analytics.Templates": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Analytics.Templates(ctx, wabaID, cloudapi.TemplateAnalyticsQuery{
				Start: period.Start, End: period.End, Templates: []graph.TemplateID{templateID},
			}))
		},

		"Analytics.TemplateGroups": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Analytics.TemplateGroups(ctx, wabaID, cloudapi.TemplateGroupAnalyticsQuery{
				Start: period.Start, End: period.End,
				Groups:  []cloudapi.TemplateGroupID{templateGroupID, "620000000000015"},
				Metrics: []string{"SENT", "READ"},
			}))
		},
		"Analytics.Groups": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Analytics.Groups(ctx, wabaID, cloudapi.GroupAnalyticsQuery{
				Start: period.Start, End: period.End, Groups: []graph.GroupID{groupID},
			}))
		},

		"TemplateGroups.List": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.TemplateGroups.List(ctx, wabaID))
		},
		"TemplateGroups.Get": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.TemplateGroups.Get(ctx, templateGroupID))
		},
		"TemplateGroups.Create": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.TemplateGroups.Create(ctx, wabaID, cloudapi.TemplateGroupCreateParams{
				Name: "sale", Description: privateOne, Templates: []graph.TemplateID{templateID, "610000000000013"},
			}))
		},
		"TemplateGroups.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return c.TemplateGroups.Update(ctx, templateGroupID, cloudapi.TemplateGroupUpdateParams{
				Description: new(privateOne), Add: []graph.TemplateID{templateID},
				Remove: []graph.TemplateID{"610000000000013"},
			})
		},
		"TemplateGroups.Delete": func(ctx context.Context, c *cloudapi.Client) error {
			return c.TemplateGroups.Delete(ctx, templateGroupID)
		},

		"Flows.List": func(ctx context.Context, c *cloudapi.Client) error { return drain(c.Flows.List(ctx, wabaID)) },
		"Flows.Get":  func(ctx context.Context, c *cloudapi.Client) error { return only(c.Flows.Get(ctx, flowID)) },
		"Flows.Create": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Flows.Create(ctx, wabaID, cloudapi.FlowCreateParams{
				Name: privateOne, Categories: []string{"OTHER"},
			}))
		},
		"Flows.Update": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Flows.Update(ctx, flowID, cloudapi.FlowUpdateParams{Name: privateOne})
		},
		"Flows.Delete": func(ctx context.Context, c *cloudapi.Client) error { return c.Flows.Delete(ctx, flowID) },
		"Flows.Assets": func(ctx context.Context, c *cloudapi.Client) error {
			return drain(c.Flows.Assets(ctx, flowID))
		},
		"Flows.UploadJSON": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Flows.UploadJSON(ctx, flowID, []byte(`{"version":"6.0"}`)))
		},
		"Flows.Publish": func(ctx context.Context, c *cloudapi.Client) error { return c.Flows.Publish(ctx, flowID) },
		"Flows.Deprecate": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Flows.Deprecate(ctx, flowID)
		},
		"Flows.Migrate": func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Flows.Migrate(ctx, wabaID, cloudapi.FlowMigrateParams{
				From: "210000000000012", Names: []string{"booking"},
			}))
		},
		"Flows.Key": func(ctx context.Context, c *cloudapi.Client) error { return only(c.Flows.Key(ctx, phoneID)) },
		"Flows.SetKey": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Flows.SetKey(ctx, phoneID, rsaPEM())
		},
	}
}
