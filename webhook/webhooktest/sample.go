package webhooktest

// Sample returns the body of a delivery.
func Sample(field, name string) []byte { return nil }
