// Package flowendpoint answers the data exchange of WhatsApp Flows: it checks the signature,
// decrypts what the phone asks, calls your handler, and encrypts the answer.
//
//	endpoint, err := flowendpoint.New(flowendpoint.Config{
//		AppSecret: appSecret,
//		Keys:      []*rsa.PrivateKey{key}, // whose public half went to client.Flows.SetKey
//	}, flowendpoint.HandlerFunc(answer))
//	http.Handle("/flow", endpoint)
//	…
//	func answer(ctx context.Context, r *flowendpoint.Request) (flowendpoint.Response, error) {
//		if r.Action == flowendpoint.ActionInit {
//			return flowendpoint.NewScreen("BOOKING", Days{"2027-01-04", "2027-01-05"})
//		}
//		booking, err := flowendpoint.Data[Booking](r)
//		if err != nil {
//			return nil, err
//		}
//		return flowendpoint.NewCompletion(r, Confirmation{booking.Day})
//	}
//
// # What the phone may send
//
// Everything comes from a phone, which can send anything: the public key is public. The signature
// proves that it came through Meta, and nothing else. Validate the data like that of any web form,
// and check the flow token, which you sent with the message, against your own records:
// [InvalidToken] ends a Flow that is over.
//
// # Statuses
//
//	wrong method, too large      405, 413
//	bad signature                432
//	cannot be decrypted          421: the phone fetches the public key again
//	InvalidToken                 427, with your words
//	any other error              500: the person sees that something went wrong
//
// Health checks and reports of errors are answered here and do not reach the handler.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/guides/implementingyourflowendpoint
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/send.md
package flowendpoint
