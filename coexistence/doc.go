// Package coexistence follows a business's number that lives in the WhatsApp Business app and on Cloud API at once.
package coexistence
