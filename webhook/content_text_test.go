package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func TestTheFileOfAnyContent(t *testing.T) {
	t.Parallel()
	var (
		image    webhook.Image
		video    webhook.Video
		audio    webhook.Audio
		document webhook.Document
		sticker  webhook.Sticker
	)
	for name, tt := range map[string]struct {
		content webhook.Content
		want    *webhook.Media
	}{
		"image":       {&image, &image.Media},
		"video":       {&video, &video.Media},
		"audio":       {&audio, &audio.Media},
		"document":    {&document, &document.Media},
		"sticker":     {&sticker, &sticker.Media},
		"text":        {&webhook.Text{}, nil},
		"placeholder": {&webhook.MediaPlaceholder{}, nil},
		"edit":        {&webhook.Edit{Content: &image}, nil},
		"unknown":     {&webhook.UnknownContent{Name: "poll"}, nil},
		"none":        {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.want == nil {
				require.Nil(t, webhook.ContentMedia(tt.content))
				return
			}
			require.Same(t, tt.want, webhook.ContentMedia(tt.content))
		})
	}
}

func TestTheWordsOfAnyContent(t *testing.T) {
	t.Parallel()
	card := func(name string) graph.ContactCard {
		return graph.ContactCard{Name: graph.ContactName{Formatted: name}}
	}
	reply := func(r webhook.InteractiveReply) webhook.Content { return &webhook.Interactive{Reply: r} }
	for name, tt := range map[string]struct {
		content webhook.Content
		want    string
	}{
		"text":  {&webhook.Text{Body: "Hello"}, "Hello"},
		"image": {&webhook.Image{Caption: "The blue one"}, "The blue one"},
		"video": {&webhook.Video{Caption: "Look"}, "Look"},
		"document": {&webhook.Document{Filename: "invoice.pdf", Caption: "The invoice"},
			"The invoice"},
		"document without caption":   {&webhook.Document{Filename: "invoice.pdf"}, ""},
		"template button":            {&webhook.Button{Text: "Yes", Payload: "yes-1"}, "Yes"},
		"button reply":               {reply(&webhook.ButtonReply{ID: "1", Title: "Tomorrow"}), "Tomorrow"},
		"list reply":                 {reply(&webhook.ListReply{ID: "1", Title: "Rye", Description: "1 kg"}), "Rye"},
		"flow reply":                 {reply(&webhook.FlowReply{Body: "Sent", Response: "{}"}), "Sent"},
		"call permission":            {reply(&webhook.CallPermissionReply{Response: "accept"}), "accept"},
		"payment method":             {reply(&webhook.PaymentMethodReply{Method: "offsite_card_pay"}), ""},
		"unknown reply":              {reply(&webhook.UnknownReply{}), ""},
		"place with a name":          {&webhook.Location{Name: "Bakery", Address: "1 Main St"}, "Bakery"},
		"place with an address only": {&webhook.Location{Address: "1 Main St"}, "1 Main St"},
		"cards": {&webhook.Contacts{Cards: []graph.ContactCard{card("Ada"), card(""), card("Grace")}},
			"Ada, Grace"},
		"order": {&webhook.Order{Text: "Please slice it"}, "Please slice it"},
		"system": {&webhook.SystemMessage{Body: "Ada changed the number"},
			"Ada changed the number"},
		"audio":    {&webhook.Audio{}, ""},
		"reaction": {&webhook.Reaction{Emoji: "🙂"}, ""},
		"edit":     {&webhook.Edit{Content: &webhook.Text{Body: "Hello again"}}, ""},
		"unknown":  {&webhook.UnknownContent{Name: "poll"}, ""},
		"none":     {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, webhook.ContentText(tt.content))
			require.Equal(t, tt.want, (&webhook.IncomingMessage{Content: tt.content}).Text())
			require.Equal(t, tt.want, (&webhook.BusinessAppEcho{Content: tt.content}).Text())
			require.Equal(t, tt.want, (&webhook.OtherAppEcho{Content: tt.content}).Text())
			require.Equal(t, tt.want, (&webhook.HistoryMessage{Content: tt.content}).Text())
			require.Equal(t, tt.want, (&webhook.HistoryMedia{Content: tt.content}).Text())
		})
	}
}

func TestTextOfADecodedMessage(t *testing.T) {
	t.Parallel()
	for sample, want := range map[string]string{
		"text": "Do you have the blue one in stock?", "sticker": "", "edit": "",
	} {
		m := decode(t, string(webhooktest.Sample("messages", sample)))[0].(*webhook.IncomingMessage)
		require.Equal(t, want, m.Text(), sample)
	}
}
