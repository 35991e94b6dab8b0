module github.com/seed-9f2bcc2b/whatsapp-coexistence/examples

go 1.26.0

require github.com/seed-9f2bcc2b/whatsapp-coexistence v0.0.0

replace github.com/seed-9f2bcc2b/whatsapp-coexistence => ../
