module github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/torture

go 1.26.0

require (
	github.com/jackc/pgx/v5 v5.12.0
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/seed-9f2bcc2b/whatsapp-coexistence v0.0.0
	github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox v0.0.0
	github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox v0.0.0
	github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/antithesishq/antithesis-sdk-go v0.8.0-default-no-op // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/google/go-tpm v0.9.8 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/minio/highwayhash v1.0.4 // indirect
	github.com/nats-io/jwt/v2 v2.8.2 // indirect
	github.com/nats-io/nats.go v1.55.0 // indirect
	github.com/nats-io/nkeys v0.4.16 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
	modernc.org/libc v1.79.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
	modernc.org/sqlite v1.61.1 // indirect
)

replace github.com/seed-9f2bcc2b/whatsapp-coexistence => ../../

replace github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox => ../../webhook/inbox/natsinbox

replace github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox => ../../webhook/inbox/pginbox

replace github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox => ../../webhook/inbox/sqliteinbox
