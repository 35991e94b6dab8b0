package cloudapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

const picture = "not really a picture"

func sumOf(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

// A mediaServer tells where a file is, and has it.
func mediaServer(t *testing.T, steps ...step) *script {
	t.Helper()
	var srv *script
	locate := func(w http.ResponseWriter, r *http.Request) {
		reply(200, fmt.Sprintf(`{"id":"8","url":"%s/file?mid=8","mime_type":"image/png","sha256":%q,"file_size":"20"}`,
			srv.URL, hex.EncodeToString(sumOf(picture))))(w, r)
	}
	var mu sync.Mutex
	srv = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v") {
			locate(w, r)
			return
		}
		mu.Lock()
		next := steps[0]
		if len(steps) > 1 {
			steps = steps[1:]
		}
		mu.Unlock()
		next(w, r)
	})
	return srv
}

func file(body string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = io.WriteString(w, body)
	}
}

func TestDownloadWritesTheFile(t *testing.T) {
	t.Parallel()
	srv := mediaServer(t, file(picture))
	var w bytes.Buffer
	got, err := srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{ID: "8", PhoneNumberID: phoneID}, &w)
	require.NoError(t, err)
	require.Equal(t, picture, w.String())
	require.Equal(t,
		&cloudapi.MediaDownloadResult{MIMEType: "image/png", Size: 20, SHA256: hex.EncodeToString(sumOf(picture))},
		got)
	seen := srv.seen()
	require.Len(t, seen, 2)
	require.Equal(t, "Bearer "+token.Reveal(), seen[1].header.Get("Authorization"))
	require.NotContains(t, seen[1].target, "proof")
}

func TestDownloadWithTheURLOfAWebhookSavesACall(t *testing.T) {
	t.Parallel()
	srv := mediaServer(t, file(picture))
	_, err := srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{
		ID: "8", URL: srv.URL + "/file", SHA256: base64.StdEncoding.EncodeToString(sumOf(picture)),
	}, io.Discard)
	require.NoError(t, err)
	require.Len(t, srv.seen(), 1)
}

func TestAnExpiredURLIsAskedForOnceMore(t *testing.T) {
	t.Parallel()
	gone := reply(404, `{"error":{"code":100}}`)
	srv := mediaServer(t, gone, file(picture))
	var w bytes.Buffer
	_, err := srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{ID: "8", URL: srv.URL + "/old"}, &w)
	require.NoError(t, err)
	require.Equal(t, picture, w.String())
	require.Len(t, srv.seen(), 3)

	srv = mediaServer(t, gone)
	_, err = srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{ID: "8", URL: srv.URL + "/old"},
		io.Discard)
	require.Equal(t, 404, asError(t, err).StatusCode)
	require.Len(t, srv.seen(), 3, "once, and no more")
	_, err = srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{URL: srv.URL + "/old"}, io.Discard)
	require.Equal(t, 404, asError(t, err).StatusCode)
}

func TestDownloadsThatFail(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		step     step
		download func(*cloudapi.MediaDownload)
		want     string
		is       error
		requests int
	}{
		"too large": {
			file(picture), func(d *cloudapi.MediaDownload) { d.MaxBytes = 19 }, "", cloudapi.ErrMediaTooLarge, 2,
		},
		"another file": {file(picture + "!"), nil, "", cloudapi.ErrMediaChecksum, 2},
		"another host": {
			file(picture), func(d *cloudapi.MediaDownload) { d.URL = "https://evil.example/file" }, "",
			cloudapi.ErrMediaHost, 0,
		},
		"plain http": {
			file(picture), func(d *cloudapi.MediaDownload) { d.URL = "http://lookaside.fbsbx.com/file" }, "",
			cloudapi.ErrMediaHost, 0,
		},
		"a user in the URL": {
			file(picture), func(d *cloudapi.MediaDownload) { d.URL = "https://lookaside.fbsbx.com@evil.example/" },
			"", cloudapi.ErrMediaHost, 0,
		},
		"a likely host": {
			file(picture), func(d *cloudapi.MediaDownload) { d.URL = "https://lookaside.fbsbx.com.evil.example/" },
			"", cloudapi.ErrMediaHost, 0,
		},
		"another port": {
			file(picture), func(d *cloudapi.MediaDownload) { d.URL = "https://lookaside.fbsbx.com:8443/" }, "",
			cloudapi.ErrMediaHost, 0,
		},
		"a file of the disk": {
			file(picture), func(d *cloudapi.MediaDownload) { d.URL = "file:///etc/passwd" }, "",
			cloudapi.ErrMediaHost, 0,
		},
		"a redirect":    {reply(302, "", "Location", "https://evil.example/"), nil, "redirect", nil, 2},
		"a page":        {reply(200, "<html>", "Content-Type", "text/html"), nil, "is a web page", nil, 2},
		"no permission": {reply(401, graphError("190", "")), nil, "code 190", nil, 2},
		"server down":   {reply(503, ""), nil, "HTTP status 503", nil, 5},
		"half a file":   {half("half"), nil, "broke off", nil, 2},
		"nothing to fetch": {
			file(picture), func(d *cloudapi.MediaDownload) { *d = cloudapi.MediaDownload{} }, "neither ID nor URL",
			cloudapi.ErrValidation, 0,
		},
		"a strange sum": {
			file(picture), func(d *cloudapi.MediaDownload) { d.SHA256 = "abc" }, "neither in hex nor",
			cloudapi.ErrValidation, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediaServer(t, tt.step)
			d := cloudapi.MediaDownload{ID: "8"}
			if tt.download != nil {
				tt.download(&d)
			}
			_, err := srv.client(t).Media.Download(t.Context(), d, io.Discard)
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			require.Len(t, srv.seen(), tt.requests)
		})
	}
}

// A customer can send a page as a document. What tells it from Meta's page about a bad token is its
// checksum.
func TestAPageThatWasSentCanBeDownloaded(t *testing.T) {
	t.Parallel()
	const page = "<html>our prices</html>"
	sum := sumOf(page)
	srv := serve(t, reply(200, page, "Content-Type", "text/html; charset=utf-8"))
	var w bytes.Buffer
	d := cloudapi.MediaDownload{URL: srv.URL + "/file", SHA256: base64.StdEncoding.EncodeToString(sum)}
	_, err := srv.client(t).Media.Download(t.Context(), d, &w)
	require.NoError(t, err)
	require.Equal(t, page, w.String())

	srv = serve(t, reply(200, "<html>log in</html>", "Content-Type", "text/html"))
	d.URL = srv.URL + "/file"
	_, err = srv.client(t).Media.Download(t.Context(), d, io.Discard)
	require.ErrorContains(t, err, "check the token")
}

// Metrics count calls by their final attempts.
func TestTheObserverSeesTheEndOfEveryDownload(t *testing.T) {
	t.Parallel()
	gone := reply(404, "")
	tests := map[string]struct {
		steps []step
		want  []bool // whether the attempt is final
	}{
		"at once":         {[]step{file(picture)}, []bool{true}},
		"after a failure": {[]step{reply(503, ""), file(picture)}, []bool{false, true}},
		"never":           {[]step{reply(503, "")}, []bool{false, false, false, true}},
		"not there":       {[]step{gone}, []bool{true}},
		"another file":    {[]step{file(picture + "!")}, []bool{true}},
		"half of it":      {[]step{half("half")}, []bool{true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediaServer(t, tt.steps...)
			var got []bool
			client := srv.client(t, func(cfg *cloudapi.Config) {
				cfg.Observe = func(_ context.Context, c cloudapi.Attempt) {
					if c.Path == "/{media-url}" {
						got = append(got, c.Final)
					}
				}
			})
			_, _ = client.Media.Download(t.Context(), cloudapi.MediaDownload{ID: "8"}, io.Discard)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestAWriterThatFailsEndsTheDownload(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	srv := mediaServer(t, file(picture))
	_, err := srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{ID: "8"},
		writerFunc(func([]byte) (int, error) { return 0, full }))
	require.ErrorIs(t, err, full)
	require.Len(t, srv.seen(), 2)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A broken connection before the first byte is tried again.
func TestADownloadThatNeverBeganIsTriedAgain(t *testing.T) {
	t.Parallel()
	srv := mediaServer(t, drop, reply(500, ""), file(picture))
	var w bytes.Buffer
	_, err := srv.client(t).Media.Download(t.Context(), cloudapi.MediaDownload{ID: "8"}, &w)
	require.NoError(t, err)
	require.Equal(t, picture, w.String())
}

func TestNoSecretLeavesThroughADownload(t *testing.T) {
	t.Parallel()
	const secret = "mid-of-a-private-file"
	for name, transport := range disasters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var out bytes.Buffer
			client := newClient(t, cloudapi.Config{
				AppID: appID, AppSecret: appSecret, AccessToken: token, HTTPClient: &http.Client{Transport: transport},
				Retry: cloudapi.RetryPolicy{MaxAttempts: 2, MinWait: 1, MaxWait: 1},
				Observe: func(_ context.Context, call cloudapi.Attempt) {
					mu.Lock()
					defer mu.Unlock()
					fmt.Fprintf(&out, "%+v %#v\n", call, call)
				},
			})
			_, err := client.Media.Download(t.Context(),
				cloudapi.MediaDownload{URL: "https://lookaside.fbsbx.com/x?mid=" + secret}, io.Discard)
			if err == nil {
				return // what a server calls the file is the file
			}
			mu.Lock()
			defer mu.Unlock()
			printAll(&out, err)
			for _, s := range []string{secret, token.Reveal(), "lookaside.fbsbx.com"} {
				require.NotContains(t, out.String(), s)
			}
		})
	}
}

func TestUploadStreamsWithTheRealType(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"8"}`))
	id, err := srv.client(t).Media.Upload(t.Context(), phoneID, cloudapi.MediaUpload{
		MIMEType: "image/png", Filename: `a "b".png`, Body: strings.NewReader(picture),
	})
	require.NoError(t, err)
	require.Equal(t, "8", string(id))
	r := srv.seen()[0]
	require.NotEmpty(t, r.header.Get("Content-Length"))
	require.Contains(t, r.body, `filename="a \"b\".png"`)
	require.Contains(t, r.body, "Content-Type: image/png\r\n\r\n"+picture+"\r\n--")
}

func TestUploadIsRepeatedOnlyIfTheFileCanBeRead(t *testing.T) {
	t.Parallel()
	throttled := reply(400, graphError("80007", ""))
	upload := func(srv *script, body io.Reader) error {
		_, err := srv.client(t).Media.Upload(t.Context(), phoneID, cloudapi.MediaUpload{
			MIMEType: "image/png", Body: body, Size: 20,
		})
		return err
	}
	srv := serve(t, throttled, reply(200, `{"id":"8"}`))
	require.NoError(t, upload(srv, strings.NewReader(picture)))
	require.Equal(t, 2, strings.Count(srv.seen()[0].body+srv.seen()[1].body, picture))

	srv = serve(t, throttled, reply(200, `{"id":"8"}`))
	require.Error(t, upload(srv, io.MultiReader(strings.NewReader(picture))))
	require.Len(t, srv.seen(), 1)

	srv = serve(t, reply(503, ""))
	require.Error(t, upload(srv, strings.NewReader(picture)))
	require.Len(t, srv.seen(), 1, "it may have been stored")
}

func TestUploadsThatCannotWork(t *testing.T) {
	t.Parallel()
	for want, u := range map[string]cloudapi.MediaUpload{
		"Type is empty":      {Body: strings.NewReader("x")},
		"not a MIME type":    {MIMEType: "png", Body: strings.NewReader("x")},
		"Body is nil":        {MIMEType: "image/png"},
		"accepts 5242880":    {MIMEType: "image/png", Body: strings.NewReader("x"), Size: 5<<20 + 1},
		"accepts 512000":     {MIMEType: "image/webp", Body: strings.NewReader("x"), Size: 5 << 20},
		"Size is negative":   {MIMEType: "image/png", Body: strings.NewReader("x"), Size: -1},
		"accepts 16777216 o": {MIMEType: "video/mp4", Body: strings.NewReader("x"), Size: 17 << 20},
		"is 5242881 bytes":   {MIMEType: "image/jpeg", Body: bytes.NewReader(make([]byte, 5<<20+1))},
	} {
		_, err := serve(t, reply(500, "")).client(t).Media.Upload(t.Context(), phoneID, u)
		require.ErrorIs(t, err, cloudapi.ErrValidation)
		require.ErrorContains(t, err, want)
	}
}

func TestResumableUpload(t *testing.T) {
	t.Parallel()
	const id = "upload:MTphdHRhY2htZW50?sig=ARZqkGCA_uQMxC8n"
	srv := serve(t, reply(200, `{"id":"`+id+`"}`), drop, reply(200, `{"id":"`+id+`","file_offset":"8"}`),
		reply(200, `{"h":"4::aW1h"}`))
	handle, err := srv.client(t).Uploads.Upload(t.Context(), cloudapi.FileUpload{
		Filename: "a.png", MIMEType: "image/png", Size: int64(len(picture)), Body: strings.NewReader(picture),
	})
	require.NoError(t, err)
	require.Equal(t, "4::aW1h", string(handle))
	got := srv.seen()
	require.Len(t, got, 4)
	for _, r := range got[1:] {
		require.True(t, strings.HasPrefix(r.target, "/v25.0/"+id+"&appsecret_proof="), r.target)
		require.Equal(t, "OAuth "+token.Reveal(), r.header.Get("Authorization"))
	}
	require.Equal(t, "8", got[3].header.Get("File_offset"))
	require.Equal(t, picture[8:], got[3].body)
	for _, bad := range []string{"", "12", "upload:x/../../me", "upload:a#b", "upload:a b"} {
		srv := serve(t, reply(200, `{"id":"`+bad+`"}`))
		_, err := srv.client(t).Uploads.Upload(t.Context(), cloudapi.FileUpload{
			Filename: "a.png", MIMEType: "image/png", Size: int64(len(picture)), Body: strings.NewReader(picture),
		})
		require.ErrorContains(t, err, "no upload id", bad)
		require.Len(t, srv.seen(), 1, "the id could lead elsewhere")
	}
}
