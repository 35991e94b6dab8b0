package coexistence_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

func TestMemStoreKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	require.NoError(t, coexistencetest.TestStore(t.Context(), func(context.Context) (coexistence.Store, error) {
		return new(coexistence.MemStore), nil
	}))
}

func TestMemStoreKeepsThePromisesWithDataInIt(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	require.NoError(t, coexistencetest.TestStore(t.Context(),
		func(context.Context) (coexistence.Store, error) { return store, nil }))
	require.NoError(t, coexistencetest.TestStore(t.Context(),
		func(context.Context) (coexistence.Store, error) { return store, nil }))
}
