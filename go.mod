module github.com/seed-9f2bcc2b/whatsapp-coexistence

go 1.26.0
