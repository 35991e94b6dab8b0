package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

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
	a.receive(t, bread["phone"], fmt.Sprintf(`{"from":"15550200001","id":"wamid.picture","timestamp":"%d","type":"image",
		"image":{"id":"77","mime_type":"image/jpeg"}}`, time.Now().Unix()))
	a.keep(t, bread["phone"], "wamid.picture", aPicture)
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
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	require.NoError(t, err)
	require.Len(t, z.File, 2)
	require.Equal(t, "files/wamid.picture.jpeg", z.File[1].Name)
	picture, err := fs.ReadFile(z, z.File[1].Name)
	require.NoError(t, err)
	require.Equal(t, aPicture, picture)
	all, err := fs.ReadFile(z, "person.jsonl")
	require.NoError(t, err)
	kinds := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(all)); lines.Scan(); {
		var line coexistence.ExportLine
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		kinds[line.Type]++
	}
	require.Equal(t, map[string]int{"contact": 1, "conversation": 1, "message": 62}, kinds)

	status, _ = baker.get(at + "/media/wamid.picture")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 2, a.keptFiles(t), "this one and another person's")
	status, _ = baker.post(person+"/forget", url.Values{})
	require.Equal(t, http.StatusUnprocessableEntity, status, "it is not confirmed")
	status, _ = baker.get(person)
	require.Equal(t, http.StatusOK, status)
	status, _ = baker.post(person+"/forget", url.Values{"confirmed": {"1"}})
	require.Equal(t, http.StatusSeeOther, status)
	for _, path := range []string{person, person + "/export", at + "/inbox/15550200001", at + "/media/wamid.picture"} {
		status, _ = baker.get(path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	require.Equal(t, 1, a.keptFiles(t))
	for _, path := range []string{at + "/inbox", at + "/inbox?q=customer", at + "/campaigns?q=customer"} {
		_, body = baker.get(path)
		require.Contains(t, body, "Customer 0000", path)
		require.NotContains(t, body, "Customer 0001", path)
	}
	_, body = baker.get(at + "/inbox?q=question")
	require.NotContains(t, body, "question 1")
}
