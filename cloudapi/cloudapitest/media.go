package cloudapitest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Media is a file that was uploaded, or that a person sent.
type Media struct {
	// ID is made up if empty.
	ID graph.MediaID

	// PhoneNumberID is the number that the file belongs to.
	PhoneNumberID graph.PhoneNumberID

	// MIMEType is the MIME type, Filename the name that it was uploaded with.
	MIMEType string
	Filename string

	// Body is the file. The server keeps a copy.
	Body []byte
}

// SHA256 returns the checksum in hex.
func (m Media) SHA256() string {
	sum := sha256.Sum256(m.Body)
	return hex.EncodeToString(sum[:])
}

// AddMedia adds a file, such as one that a person sent, and returns it with its id.
func (s *Server) AddMedia(m Media) Media {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addMedia(m)
}

// addMedia is AddMedia. The caller must hold s.mu.
func (s *Server) addMedia(m Media) Media {
	if m.ID == "" {
		m.ID = graph.MediaID(s.newID())
	}
	m.Body = slices.Clone(m.Body)
	s.put(&object{id: string(m.ID), kind: kindMedia, phone: s.phone(m.PhoneNumberID), value: &m})
	return m
}

// Media returns a file, and whether it is there.
func (s *Server) Media(id graph.MediaID) (Media, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.object(string(id)); o != nil && o.kind == kindMedia {
		return *o.value.(*Media), true
	}
	return Media{}, false
}

// DeleteMedia removes a file, as Meta does after some days: its id and its URL end. Without the
// file it does nothing.
func (s *Server) DeleteMedia(id graph.MediaID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.object(string(id)); o != nil && o.kind == kindMedia {
		s.drop(o.id)
	}
}

// MediaURL returns where a file is for the next five minutes, for webhooks that name it. It needs
// the token, like Meta's.
func (s *Server) MediaURL(id graph.MediaID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mediaURL(id)
}

// mediaPath is where files are, as on Meta's servers of files.
const (
	mediaPath = "/whatsapp_business/attachments/"

	// mediaLife is how long a URL works.
	mediaLife = 5 * time.Minute
)

// mediaURL is MediaURL. The time at which it ends stands in the URL, as with Meta.
func (s *Server) mediaURL(id graph.MediaID) string {
	until := s.now().Add(mediaLife).Unix()
	q := url.Values{"mid": {string(id)}, "source": {"getMedia"}, "ext": {strconv.FormatInt(until, 10)}}
	return s.URL + mediaPath + "?" + q.Encode()
}

// mediaTypes are the documented types and sizes.
var mediaTypes = map[string]int{
	"audio/aac": 16 << 20, "audio/amr": 16 << 20, "audio/mpeg": 16 << 20, "audio/mp4": 16 << 20, "audio/ogg": 16 << 20,
	"image/jpeg": 5 << 20, "image/png": 5 << 20, "image/webp": 500 << 10, "video/mp4": 16 << 20, "video/3gpp": 16 << 20,
	"text/plain": 100 << 20, "application/pdf": 100 << 20,
}

// postMedia stores a file for messages of the number. It wants the documented types: the part of
// the form must say what it is, since octet-stream, which many HTTP libraries write, is refused.
// Microsoft Office has too many types to list, so their prefix decides.
func (s *Server) postMedia(c *call) reply {
	f, ok := c.files["file"]
	base, _, _ := strings.Cut(f.mimeType, ";")
	limit, known := mediaTypes[base]
	office := strings.HasPrefix(base, "application/vnd.") || base == "application/msword"
	switch {
	case c.get("messaging_product") != "whatsapp":
		return refuse(required("messaging_product"))
	case !ok:
		return refuse(required("file"))
	case !known && !office:
		return refuse(invalid(
			"Param file must be a file with one of the documented types. Received file of type '%s'.", base))
	case office:
		limit = 100 << 20
	}
	if len(f.body) > limit {
		return refuse(&graphError{
			Code: graph.CodeMediaUploadError, Details: fmt.Sprintf("The file is larger than %d bytes.", limit),
		})
	}
	m := s.addMedia(Media{PhoneNumberID: c.phone.ID, MIMEType: base, Filename: f.name, Body: f.body})
	return ok200("id", m.ID)
}

// ok200 answers with one member.
func ok200[T any](name string, value T) reply { return ok(map[string]T{name: value}) }

// getMedia answers with the URL of a file. A file of another number than the one that is named does
// not exist. The size is a number in practice, and a string in some samples of Meta's.
func (s *Server) getMedia(c *call) reply {
	m := valueOf[Media](c)
	if phone := c.get("phone_number_id"); phone != "" && phone != string(m.PhoneNumberID) {
		return refuse(notFound(c.method, c.id))
	}
	return ok(struct {
		Product string        `json:"messaging_product"`
		URL     string        `json:"url"`
		Type    string        `json:"mime_type"`
		SHA256  string        `json:"sha256"`
		Size    int           `json:"file_size"`
		ID      graph.MediaID `json:"id"`
	}{"whatsapp", s.mediaURL(m.ID), m.MIMEType, m.SHA256(), len(m.Body), m.ID})
}

// deleteMedia removes a file. Its URL ends with it.
func (s *Server) deleteMedia(c *call) reply {
	s.drop(c.id)
	return success
}

// serveMedia is the server of files. Without a good token it answers with a page, as Meta's does.
func (s *Server) serveMedia(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	token := s.tokens[graph.Secret(tokenOf(r.Header, params{}))]
	ext, _ := strconv.ParseInt(r.URL.Query().Get("ext"), 10, 64)
	o := s.object(r.URL.Query().Get("mid"))
	var m Media
	status := http.StatusOK
	switch {
	case token == nil || token.problem(s.now()) != nil:
		status = http.StatusUnauthorized
	case o == nil || o.kind != kindMedia || s.now().Unix() > ext:
		status = http.StatusNotFound
	default:
		m = *o.value.(*Media)
		if o.phone != nil && !token.reaches(o.phone.WABAs...) {
			status = http.StatusNotFound
		}
	}
	s.requests = append(s.requests, LoggedRequest{
		Method: r.Method, Path: "/{media-url}", Status: status, PhoneNumberID: m.PhoneNumberID, At: s.now(),
	})
	s.mu.Unlock()
	if status != http.StatusOK {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><body>Sorry, this content isn't available.</body></html>"))
		return
	}
	w.Header().Set("Content-Type", m.MIMEType)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.Body)))
	_, _ = w.Write(m.Body)
}
