package cloudapitest

import (
	"fmt"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An upload is a resumable upload under way.
type upload struct {
	name, mimeType string
	size           int
	body           []byte
}

// uploadTypes are what resumable uploads take.
var uploadTypes = map[string]bool{
	"application/pdf": true, "image/jpeg": true, "image/jpg": true, "image/png": true, "video/mp4": true,
}

// postUpload begins an upload. Its id has a query, as Meta's has, which clients must not escape.
func (s *Server) postUpload(c *call) reply {
	size, _ := strconv.Atoi(c.get("file_length"))
	switch {
	case size <= 0:
		return refuse(required("file_length"))
	case !uploadTypes[c.get("file_type")]:
		return refuse(invalid("file_type must be one of application/pdf, image/jpeg, image/jpg, image/png, video/mp4"))
	}
	id := fmt.Sprintf("upload:MTphdHRhY2htZW50Oj%s", s.newID())
	u := &upload{name: c.get("file_name"), mimeType: c.get("file_type"), size: size}
	s.put(&object{id: id, kind: kindUpload, value: u})
	return ok200("id", id+"?sig=ARZ"+s.newID())
}

// getUpload says how much has arrived, which is where an upload continues.
func (s *Server) getUpload(c *call) reply {
	u := valueOf[upload](c)
	return ok(struct {
		ID     string `json:"id"`
		Offset int    `json:"file_offset"`
	}{c.id, len(u.body)})
}

// appendUpload takes bytes that follow those that are there, and answers with the handle once all
// have arrived. A handle is good for any template or profile, as often as wanted.
func (s *Server) appendUpload(c *call) reply {
	u := valueOf[upload](c)
	offset, err := strconv.Atoi(c.header.Get("File_offset"))
	switch {
	case err != nil || offset != len(u.body):
		return refuse(invalid("file_offset must be %d", len(u.body)))
	case offset+len(c.body) > u.size:
		return refuse(invalid("more bytes than file_length announced"))
	}
	u.body = append(u.body, c.body...)
	if len(u.body) < u.size {
		return s.getUpload(c)
	}
	handle := "4::aW1hZ2U=:ARb" + s.newID()
	s.handles[graph.UploadHandle(handle)] = true
	return ok200("h", handle)
}
