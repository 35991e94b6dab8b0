package cloudapi_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// A file is uploaded once, and sent to many by its id.
func ExampleMediaService_Upload() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()

	id, err := client.Media.Upload(ctx, phone.ID, cloudapi.MediaUpload{
		MIMEType: "application/pdf", Filename: "menu.pdf", Body: strings.NewReader("%PDF-1.7"),
	})
	if err != nil {
		panic(err)
	}
	_, err = client.Messages.Send(ctx, phone.ID, cloudapi.Message{
		To:      cloudapi.ToPhone("+1 555 010 0142"),
		Content: &cloudapi.Document{MediaSource: cloudapi.MediaSource{ID: id}, Filename: "menu.pdf"},
	})
	fmt.Println(err)
	// Output: <nil>
}

// What is known of a file before it is downloaded. The URL works for five minutes.
func ExampleMediaService_Get() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	id, err := client.Media.Upload(ctx, phone.ID, cloudapi.MediaUpload{
		MIMEType: "image/png", Filename: "bread.png", Body: strings.NewReader("picture"),
	})
	if err != nil {
		panic(err)
	}

	file, err := client.Media.Get(ctx, id, cloudapi.MediaOptions{PhoneNumberID: phone.ID})
	if err != nil {
		panic(err)
	}
	fmt.Println(file.MIMEType, file.FileSize, file.URL != "")
	fmt.Println(client.Media.Delete(ctx, id, cloudapi.MediaOptions{PhoneNumberID: phone.ID}))
	// Output:
	// image/png 7 true
	// <nil>
}

// A sample for the header of a template, or the picture of a profile.
func ExampleUploadsService_Upload() {
	srv, client, _ := shop()
	defer srv.Close()

	handle, err := client.Uploads.Upload(context.Background(), cloudapi.FileUpload{
		Filename: "order.png", MIMEType: "image/png", Size: 7, Body: strings.NewReader("picture"),
	})
	fmt.Println(handle != "", err)
	// Output: true <nil>
}
