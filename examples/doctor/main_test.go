package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDemoFindsAndMendsThreeMistakes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Contains(t, out.String(), "subscribe to account_update, history, smb_app_state_sync, smb_message_echoes")
	require.Contains(t, out.String(), "same verify token")
	require.Contains(t, out.String(), "system user")
}
