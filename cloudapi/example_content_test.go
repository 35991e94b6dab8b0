package cloudapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Everything that is wrong with a message is told at once, before it is sent.
func ExampleInteractive() {
	msg := cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0123"),
		Content: &cloudapi.Interactive{
			Body: "Shall we deliver today?",
			Action: &cloudapi.ReplyButtons{Buttons: []cloudapi.ReplyButton{
				{ID: "today", Title: "Yes, today"},
				{ID: "later", Title: "On another day of this week"},
			}},
		},
	}
	for _, problem := range cloudapi.ValidationErrors(msg.Check()) {
		fmt.Println(problem.Text)
	}
	// Output:
	// ReplyButtons.Buttons[1].Title has 27 characters; Meta accepts 20
}

// An outbox keeps messages as JSON, and a worker sends them later.
func ExampleMessage_outbox() {
	row, err := json.Marshal(cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0123"), CallbackData: "order-7",
		Content: &cloudapi.Location{Latitude: 37.48, Longitude: -122.14, Name: "Lucky Shrub"},
	})
	if err != nil {
		panic(err)
	}
	var msg cloudapi.Message
	if err := json.Unmarshal(row, &msg); err != nil {
		panic(err)
	}
	fmt.Println(msg.Content.MessageType(), msg.Content.Summary(), msg.CallbackData)
	// Output:
	// location Lucky Shrub order-7
}

// A file goes up, and comes down again.
func ExampleMediaService_Download() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	id, err := client.Media.Upload(ctx, phone.ID, cloudapi.MediaUpload{
		MIMEType: "text/plain", Body: strings.NewReader("Opening hours: 7 to 18 h\n"),
	})
	if err != nil {
		panic(err)
	}
	file, err := client.Media.Download(ctx, cloudapi.MediaDownload{ID: id, PhoneNumberID: phone.ID, MaxBytes: 1 << 20},
		os.Stdout)
	if err != nil {
		panic(err)
	}
	fmt.Println(file.MIMEType, file.Size)
	// Output:
	// Opening hours: 7 to 18 h
	// text/plain 25
}

// A template is handed in for review.
func ExampleTemplatesService_Create() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	waba := srv.AddWABA(cloudapitest.WABA{}).ID
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		panic(err)
	}
	made, err := client.Templates.Create(context.Background(), waba, cloudapi.TemplateCreateParams{
		Name: "order_confirmation", Language: "en_US", Category: graph.TemplateUtility,
		ParameterFormat: cloudapi.ParametersNamed,
		Components: []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentBody, Text: "Hi {{first_name}}, " +
				"your order is on its way.", Example: &cloudapi.TemplateExample{
				BodyNamed: []cloudapi.NamedExample{{Name: "first_name", Example: "Jessica"}},
			}},
			{
				Type:    cloudapi.ComponentButtons,
				Buttons: []cloudapi.ButtonDefinition{{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Stop"}},
			},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(made.Status)
	// Output:
	// PENDING
}
