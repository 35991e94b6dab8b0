// Package signup takes a business through Meta's Embedded Signup and says what was granted.
package signup
