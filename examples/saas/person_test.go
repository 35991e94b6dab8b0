package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A person is exported as lines of JSON, and forgotten once the form says that it is meant. Then
// nothing finds the person, and others are still there.
func TestAPersonIsExportedAndForgotten(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	a.fill(t, bread["phone"], 2)
	a.converse(t, bread["phone"], "15550200001", 60)
	at := "/numbers/" + bread["phone"]
	person := at + "/people/15550200001"
	status, body := baker.get(person)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "Customer 0001")

	resp, err := baker.client.Get(a.url + person + "/export")
	require.NoError(t, err)
	status, body = baker.read(resp)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, resp.Header.Get("Content-Disposition"), "attachment")
	kinds := map[string]int{}
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		var line coexistence.ExportLine
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		kinds[line.Type]++
	}
	require.Equal(t, map[string]int{"contact": 1, "conversation": 1, "message": 61}, kinds)

	status, _ = baker.post(person+"/forget", url.Values{})
	require.Equal(t, http.StatusUnprocessableEntity, status, "it is not confirmed")
	status, _ = baker.get(person)
	require.Equal(t, http.StatusOK, status)
	status, _ = baker.post(person+"/forget", url.Values{"confirmed": {"1"}})
	require.Equal(t, http.StatusSeeOther, status)
	for _, path := range []string{person, person + "/export", at + "/inbox/15550200001"} {
		status, _ = baker.get(path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	for _, path := range []string{at + "/inbox", at + "/inbox?q=customer", at + "/campaigns?q=customer"} {
		_, body = baker.get(path)
		require.Contains(t, body, "Customer 0000", path)
		require.NotContains(t, body, "Customer 0001", path)
	}
	_, body = baker.get(at + "/inbox?q=question")
	require.NotContains(t, body, "question 1")
}
