package cloudapi_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// documented is what Meta answers, in the shapes of its pages and of what was seen.
var documented = map[string]string{
	"Messages.SendMarketing": `{"messaging_product":"whatsapp","contacts":[{"input":"+15550100123",` +
		`"wa_id":"15550100123"}],"messages":[{"id":"wamid.1","message_status":"accepted"}]}`,
	"Media.Upload": `{"id":"1037543291543636"}`,
	"Media.Get": `{"messaging_product":"whatsapp",` +
		`"url":"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1","mime_type":"image/jpeg",` +
		`"sha256":"00","file_size":"303833","id":"800000000000008"}`,
	"Media.Delete": `{"success":true}`,
	"Uploads.Upload": `{"id":"upload:MTphdHRhY2htZW50OjZiZTg2?sig=ARZqkGCA_uQMxC8nHKI",` +
		`"h":"4::aW1hZ2UvanBlZw==:ARb"}`,

	"Profiles.Get": `{"data":[{"about":"Bread","address":"1 Lucky Way","description":"d",` +
		`"email":"a@example.com","messaging_product":"whatsapp",` +
		`"profile_picture_url":"https://pps.whatsapp.net/x","websites":["https://example.com"],"vertical":"RETAIL"}]}`,
	"Profiles.Update":            `{"success":true}`,
	"Phones.SetWebhook":          `{"success":"true"}`,
	"Phones.RequestName":         `{"success":true}`,
	"Phones.SetPIN":              `{"success":true}`,
	"Phones.SetSearchVisibility": `{"success":true}`,
	"Registration.Add":           `{"id":"106853218861309"}`,
	"Registration.RequestCode":   `{"success":true}`,
	"Registration.VerifyCode":    `{"success":true,"id":"106853218861309"}`,
	"Registration.Register":      `{"success":true}`,
	"Registration.Deregister":    `{"success":true}`,
	"Settings.Get": `{"calling":{"status":"ENABLED","call_icon_visibility":"DEFAULT",` +
		`"call_hours":{"status":"ENABLED","timezone_id":"America/Manaus",` +
		`"weekly_operating_hours":[{"day_of_week":"MONDAY","open_time":"0400","close_time":"1020"}],` +
		`"holiday_schedule":[{"date":"2026-01-01","start_time":"0000","end_time":"2359"}]},` +
		`"sip":{"status":"ENABLED","servers":[{"hostname":"sip.example.com","port":"5061",` +
		`"sip_user_password":"xyz"}]}},"storage_configuration":{"status":"DEFAULT"},` +
		`"user_identity_change":{"enable_identity_key_check":true}}`,
	"Settings.SetCalling":       `{"success":true}`,
	"Settings.SetIdentityCheck": `{"success":true}`,
	"Settings.SetStorage":       `{"success":true}`,
	"Settings.SetEncryption":    `{"success":true}`,
	"Health.Get": `{"health_status":{"can_send_message":"LIMITED",` +
		`"entities":[{"entity_type":"PHONE_NUMBER","id":"1","can_send_message":"LIMITED",` +
		`"additional_info":["Your display name has not been approved yet."]},{"entity_type":"WABA","id":"2",` +
		`"can_send_message":"BLOCKED","errors":[{"error_code":141006,"error_description":"There is an error with ` +
		`your payment method.","possible_solution":"Add one."}]}]},"id":"1"}`,
	"Block.List": `{"data":[{"block_users":[{"input":"+15550100123","wa_id":"15550100123"}]},` +
		`{"messaging_product":"whatsapp","wa_id":15550100124}],"paging":{"cursors":{"after":"a","before":"b"}}}`,
	"Block.Add": `{"messaging_product":"whatsapp",` +
		`"block_users":{"added_users":[{"input":"+15550100123","wa_id":"15550100123"}]}}`,
	"Block.Remove": `{"messaging_product":"whatsapp",` +
		`"block_users":{"removed_users":[{"input":"+15550100123","wa_id":"15550100123"}]}}`,
	"QR.List": `{"data":[{"code":"4O4YGZEG3RIVE1","prefilled_message":"Cyber Monday",` +
		`"deep_link_url":"https://wa.me/message/4O4YGZEG3RIVE1","creation_time":1795000000,` +
		`"qr_image_url":"https://scontent.example/x"}]}`,
	"QR.Get": `{"data":[{"code":"4O4YGZEG3RIVE1","prefilled_message":"Cyber Monday",` +
		`"deep_link_url":"https://wa.me/message/4O4YGZEG3RIVE1"}]}`,
	"QR.Create": `{"code":"4O4YGZEG3RIVE1","prefilled_message":"Cyber Monday",` +
		`"deep_link_url":"https://wa.me/message/4O4YGZEG3RIVE1","qr_image_url":"https://scontent.example/x"}`,
	"QR.Update": `{"code":"4O4YGZEG3RIVE1","prefilled_message":"Cyber Tuesday",` +
		`"deep_link_url":"https://wa.me/message/4O4YGZEG3RIVE1"}`,
	"QR.Delete":       `{"success":true}`,
	"Threads.Pass":    `{"messaging_product":"whatsapp","request_id":"AbCdEf0142"}`,
	"Threads.Release": `{"messaging_product":"whatsapp","request_id":"AbCdEf0142"}`,
	"Threads.Take":    `{"messaging_product":"whatsapp","request_id":"AbCdEf0142"}`,
	"Automation.Get": `{"conversational_automation":{"enable_welcome_message":true,` +
		`"prompts":["Book a flight"],"commands":[{"command_name":"tickets",` +
		`"command_description":"Book flight tickets"}]},"id":"123456"}`,
	"Automation.Set":        `{"success":true}`,
	"Usernames.Get":         `{"username":"made.up.bakery","status":"reserved"}`,
	"Usernames.Set":         `{"status":"approved"}`,
	"Usernames.Delete":      `{"success":true}`,
	"Usernames.Suggestions": `{"data":[{"username_suggestions":["bakery","bakery.one"]}]}`,
	"ContactBook.Delete":    `{"messaging_product":"whatsapp","success":true,"deleted":true}`,
	"Calls.Permission": `{"messaging_product":"whatsapp","permission":{"status":"temporary",` +
		`"expiration_time":1795000000},"actions":[{"action_name":"send_call_permission_request",` +
		`"can_perform_action":true,"limits":[{"time_period":"PT24H","max_allowed":1,"current_usage":0}]},` +
		`{"action_name":"start_call","can_perform_action":false,"limits":[{"time_period":"PT24H","max_allowed":5,` +
		`"current_usage":5,"limit_expiration_time":1795000000}]}]}`,
	"Calls.Connect":     `{"messaging_product":"whatsapp","calls":[{"id":"wacid.1"}]}`,
	"Calls.PreAccept":   `{"messaging_product":"whatsapp","success":true}`,
	"Calls.Accept":      `{"messaging_product":"whatsapp","success":true}`,
	"Calls.Reject":      `{"messaging_product":"whatsapp","success":true}`,
	"Calls.Terminate":   `{"messaging_product":"whatsapp","success":true}`,
	"Groups.Create":     `{"messaging_product":"whatsapp","request_id":"req-1"}`,
	"Groups.SetPicture": `{"messaging_product":"whatsapp","success":true}`,
	"Groups.List": `{"data":{"groups":[{"id":"Y2FwaQ==","subject":"Bakers",` +
		`"created_at":"1795000000"}]},"paging":{"cursors":{"before":"b","after":"a"}}}`,
	"Groups.Get": `{"messaging_product":"whatsapp","id":"Y2FwaQ==","subject":"Bakers",` +
		`"creation_timestamp":"1795000000","suspended":"false","description":"d","total_participant_count":"1",` +
		`"participants":[{"wa_id":"15550100123"}],"join_approval_mode":"approval_required"}`,
	"Groups.Update":           `{"messaging_product":"whatsapp","request_id":"req-2"}`,
	"Groups.Delete":           `{"messaging_product":"whatsapp","request_id":"req-3"}`,
	"Groups.InviteLink":       `{"messaging_product":"whatsapp","invite_link":"https://chat.whatsapp.com/x"}`,
	"Groups.ResetInviteLink":  `{"messaging_product":"whatsapp","invite_link":"https://chat.whatsapp.com/y"}`,
	"Groups.DeleteInviteLink": `{"messaging_product":"whatsapp","success":"true"}`,
	"Groups.Remove":           `{"messaging_product":"whatsapp"}`,
	"Groups.JoinRequests": `{"data":[{"join_request_id":"join-1","wa_id":"15550100123",` +
		`"creation_timestamp":"1795000000"}],"paging":{"cursors":{"before":"b","after":"a"}}}`,
	"Groups.Approve": `{"messaging_product":"whatsapp","approved_join_requests":["join-1"]}`,
	"Groups.Reject":  `{"messaging_product":"whatsapp","rejected_join_requests":["join-1"]}`,

	"WABAs.Update": `{"id":"200000000000002"}`,
	"WABAs.Activities": `{"data":[{"id":"1","activity_type":"PHONE_NUMBER_ADDED",` +
		`"timestamp":"2026-10-01T10:00:00+0000","actor_type":"USER","actor_name":"A","details":{"a":1}}],` +
		`"paging":{"cursors":{"after":"a"}}}`,
	"WABAs.AssignedUsers": `{"data":[{"id":"1","name":"Anna","tasks":["MANAGE"],"business":{"id":"3",` +
		`"name":"B"},"user_type":"SYSTEM_USER"}]}`,
	"WABAs.AssignUser":         `{"success":true}`,
	"WABAs.RemoveUser":         `{"success":true}`,
	"Businesses.Get":           `{"id":"300000000000003","name":"Bakery","timezone_id":1}`,
	"Businesses.SystemUsers":   `{"data":[{"id":"1","name":"bot","role":"ADMIN"}]}`,
	"Businesses.GetToken":      `{"access_token":"EAAx"}`,
	"Businesses.CreateToken":   `{"access_token":"EAAx"}`,
	"Apps.ConnectedBusinesses": `{"data":[{"id":"300000000000003","name":"Bakery","verification_status":"VERIFIED"}]}`,
	"Credit.Lines":             `{"data":[{"id":"9","legal_entity_name":"Partner"}]}`,
	"Credit.ShareAndAttach":    `{"allocation_config_id":"58501441721238","waba_id":"2"}`,
	"Credit.Share":             `{"success":true,"allocation_config_id":"58501441721238"}`,
	"Credit.Attach":            `{"success":true,"waba_id":"2","allocation_config_id":"58501441721238"}`,
	"Credit.Allocation":        `{"receiving_credential":{"id":"7"},"id":"58501441721238"}`,
	"Credit.Allocations":       `{"data":[{"id":"58501441721238","receiving_business":{"name":"Bakery","id":"3"}}]}`,
	"Credit.Revoke":            `{"success":true}`,

	"Templates.List": `{"data":[{"name":"order","parameter_format":"NAMED","status":"approved",` +
		`"category":"UTILITY","language":"en_US","components":[{"type":"BODY","text":"Hi {{1}} and {{2}}!",` +
		`"example":{"body_text":["a","b"]}},{"type":"BUTTONS","buttons":[{"type":"URL","text":"T",` +
		`"url":"https://x.example/{{1}}","example":["https://x.example/1"]},{"type":"COPY_CODE","text":"Copy",` +
		`"example":"SAVE"}]}],"quality_score":{"score":"GREEN","date":1795000000},"rejected_reason":"NONE",` +
		`"id":600000000000006}],"paging":{"cursors":{"after":"a"}}}`,
	"Templates.Get": `{"name":"order","status":"PENDING","category":"UTILITY","language":"en_US",` +
		`"components":[{"type":"CAROUSEL","cards":[{"components":[{"type":"HEADER","format":"IMAGE",` +
		`"example":{"header_handle":["https://scontent.example/x"]}}]}]}],"message_send_ttl_seconds":"600",` +
		`"id":"600000000000006"}`,
	"Templates.Create":             `{"id":"600000000000006","status":"PENDING","category":"MARKETING"}`,
	"Templates.CreateFromLibrary":  `{"id":"600000000000006","status":"APPROVED","category":"UTILITY"}`,
	"Templates.Update":             `{"success":true,"id":"600000000000006","name":"order","category":"UTILITY"}`,
	"Templates.Delete":             `{"success":true}`,
	"Templates.DeleteAllLanguages": `{"success":true}`,
	"Templates.UpsertAuthentication": `{"data":[{"id":"1","status":"APPROVED","language":"en_US"},{"id":2,` +
		`"status":"PENDING","language":"es_ES"}]}`,
	"Templates.Previews": `{"data":[{"body":"*{{1}}* is your verification code.",` +
		`"buttons":[{"autofill_text":"Autofill","text":"Copy code"}],"footer":"This code expires in 10 minutes.",` +
		`"language":"en_US"}]}`,
	"Templates.Library": `{"data":[{"name":"delivery_failed_2_form","language":"en_US",` +
		`"category":"UTILITY","topic":"ORDER_MANAGEMENT","usecase":"DELIVERY_FAILED","industry":["E_COMMERCE"],` +
		`"body":"b","body_params":["Jim"],"id":"7138055039625658"}]}`,
	"Templates.Migrate": `{"migrated_templates":["1",2],"failed_templates":{"3":"Template failed in ` +
		`content validation."}}`,
	"Templates.Compare": `{"data":[{"metric":"BLOCK_RATE","type":"RELATIVE",` +
		`"order_by_relative_metric":["1","2"]},{"metric":"MESSAGE_SENDS","type":"NUMBER_VALUES",` +
		`"number_values":[{"key":"1","value":1273}]},{"metric":"TOP_BLOCK_REASON","type":"STRING_VALUES",` +
		`"string_values":[{"key":"1","value":"UNKNOWN_BLOCK_REASON"}]}]}`,
	"Templates.Unpause": `{"success":true}`,

	"Analytics.Messages": `{"analytics":{"phone_numbers":["15550100123"],"granularity":"DAY",` +
		`"data_points":[{"start":1543543200,"end":1543629600,"sent":196093,"delivered":179715}]},"id":"2"}`,
	"Analytics.Conversations": `{"conversation_analytics":{"data":[{"data_points":[{"start":1685602800,` +
		`"end":1685689200,"conversation":1558,"conversation_type":"REGULAR","cost":15.5}]}]},"id":"2"}`,
	"Analytics.Pricing": `{"pricing_analytics":{"data":[{"data_points":[{"start":1,"end":2,"country":"US",` +
		`"tier":"0:750000","pricing_type":"REGULAR","pricing_category":"UTILITY","volume":"3","cost":0.1}]}]},` +
		`"id":"2"}`,
	"Analytics.Calls": `{"call_analytics":{"data":[{"data_points":[{"start":1,"end":2,"count":4,` +
		`"average_duration":61.5,"direction":"USER_INITIATED"}]}]},"id":"2"}`,
	"Analytics.Templates": `{"data":[{"granularity":"DAILY","product_type":"cloud_api",` +
		`"data_points":[{"template_id":"6","start":1,"end":2,"sent":3,"delivered":2,"read":1,` +
		`"clicked":[{"type":"quick_reply_button","button_content":"Yes","count":1}],` +
		`"cost":[{"type":"amount_spent","value":0.5}]}]}],"paging":{"cursors":{"after":"a"}}}`,

	"Analytics.TemplateGroups": `{"data":[{"waba_timezone":"America/Los_Angeles","granularity":"DAILY",` +
		`"product_type":"cloud_api","data_points":[{"template_group_id":620000000000014,"start":1739491200,` +
		`"end":1739577600,"sent":1460,"delivered":"1450","read":1399,"clicked":[{"type":"unique_url_button",` +
		`"button_content":"Go","count":16}],"cost":[{"type":"cost_per_delivered","value":0.03}]}]}],` +
		`"paging":{"cursors":{"before":"b","after":"a"}}}`,
	"Analytics.Groups": `{"data":[{"granularity":"DAILY","data_points":[{"group_id":"Y2FwaV9ncm91cDo5",` +
		`"start":1685548801,"end":1685635200,"sent":100,"delivered":250,"read":200,"joined":3,"left":1}]}],` +
		`"paging":{"cursors":{"before":"b","after":"a"}}}`,

	"TemplateGroups.List": `{"data":[{"name":"Sale","description":"d",` +
		`"creation_time":"2025-01-06T23:05:12+0000","update_time":"2025-01-07T23:05:12+0000",` +
		`"id":620000000000014}],"paging":{"cursors":{"before":"b","after":"a"}}}`,
	"TemplateGroups.Get": `{"name":"Sale","description":"d","creation_time":"2025-01-06T23:05:12+0000",` +
		`"update_time":"2025-01-07T23:05:12+0000","whatsapp_business_account":{"id":"200000000000002",` +
		`"name":"Bakery","currency":"USD","timezone_id":1,"message_template_namespace":"ba30"},` +
		`"whatsapp_business_templates":{"data":[{"name":"order","parameter_format":"POSITIONAL",` +
		`"components":[{"type":"BODY","text":"Hi {{1}}!","example":{"body_text":[["Pablo"]]}}],"language":"en_US",` +
		`"status":"APPROVED","category":"MARKETING","id":"600000000000006"}],"paging":{"cursors":{"before":"b",` +
		`"after":"a"},"next":"https://graph.facebook.com/next"}},"id":"620000000000014"}`,
	"TemplateGroups.Create": `{"id":"620000000000014"}`,
	"TemplateGroups.Update": `{"success":true}`,
	"TemplateGroups.Delete": `{"success":true}`,

	"Flows.List": `{"data":[{"id":"1","name":"f","status":"DRAFT","categories":["OTHER"],` +
		`"validation_errors":[]}]}`,
	"Flows.Get": `{"id":"700000000000007","name":"f","status":"PUBLISHED","categories":["OTHER"],` +
		`"validation_errors":[{"error":"INVALID_PROPERTY_VALUE","error_type":"FLOW_JSON_ERROR","message":"m",` +
		`"line_start":10,"line_end":"10","column_start":21,"column_end":34,"pointers":[{"path":"x"}]}],` +
		`"json_version":"6.0","preview":{"preview_url":"https://business.facebook.com/x",` +
		`"expires_at":"2027-05-21T11:18:09+0000"}}`,
	"Flows.Create": `{"id":"700000000000007","success":true,"validation_errors":[]}`,
	"Flows.Update": `{"success":true}`,
	"Flows.Delete": `{"success":true}`,
	"Flows.Assets": `{"data":[{"name":"flow.json","asset_type":"FLOW_JSON",` +
		`"download_url":"https://scontent.example/flow"}]}`,
	"Flows.UploadJSON": `{"success":true,"validation_errors":[{"error":"INVALID_PROPERTY_VALUE",` +
		`"error_type":"FLOW_JSON_ERROR","message":"m","line_start":1,"line_end":1,"column_start":1,"column_end":2}]}`,
	"Flows.Publish":   `{"success":true}`,
	"Flows.Deprecate": `{"success":true}`,
	"Flows.Migrate": `{"migrated_flows":[{"source_name":"booking","source_id":"1","migrated_id":"2"}],` +
		`"failed_flows":[{"source_name":"x","error_code":"4233041","error_message":"m"}]}`,
	"Flows.Key": `{"data":[{"business_public_key":"-----BEGIN PUBLIC KEY-----",` +
		`"business_public_key_signature_status":"VALID"}]}`,
	"Flows.SetKey": `{"success":true}`,
}

func TestEveryManagementCallReadsMetasAnswer(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, slices.Collect(maps.Keys(managementCalls())), slices.Collect(maps.Keys(documented)))
	for name, call := range managementCalls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, call(t.Context(), serve(t, reply(200, documented[name])).client(t)))
		})
	}
}
