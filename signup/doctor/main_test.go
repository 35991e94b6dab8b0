package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDemoFindsAndMendsThreeMistakes(t *testing.T) {
	t.Parallel()
	out, err := demo(t.Context())
	require.NoError(t, err)
	require.Contains(t, out, "subscribe to account_update, history, smb_app_state_sync, smb_message_echoes")
	require.Contains(t, out, "same verify token")
	require.Contains(t, out, "system user")
}
