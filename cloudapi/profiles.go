package cloudapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ProfilesService reads and writes what customers see of a business: the profile of a number. On
// a coexistence number the owner edits the same profile in the app.
type ProfilesService service

// A Profile is the profile of a number.
type Profile struct {
	About       string   `json:"about"` // the short line below the name
	Address     string   `json:"address"`
	Description string   `json:"description"`
	Email       string   `json:"email"`
	Websites    []string `json:"websites"` // at most 2

	// Vertical is the line of business, such as "RETAIL". Meta may add values.
	Vertical string `json:"vertical"`

	// PictureURL is the address of the picture, for some time. It is public.
	PictureURL string `json:"profile_picture_url"`

	Resource
}

var profileFields = []string{
	"about", "address", "description", "email", "profile_picture_url", "websites", "vertical",
}

// Get reads the profile.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles
//
// graph:GET /{phone-number-id}/whatsapp_business_profile
func (s *ProfilesService) Get(ctx context.Context, phone graph.PhoneNumberID) (*Profile, error) {
	return first[Profile](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/whatsapp_business_profile", ids: []string{string(phone)},
		phone: phone, options: fieldsOption{profileFields},
	})
}

// first returns the one object of an answer that wraps it into a list, as profiles, Flow keys and
// single QR codes have it. An empty list is no answer.
func first[T any](ctx context.Context, c *Client, r request) (*T, error) {
	p, err := call[page](ctx, c, r)
	if err != nil {
		return nil, err
	}
	if len(p.Data) == 0 {
		return nil, r.broken(p.meta, "the answer is an empty list")
	}
	v := new(T)
	if err := decodeAnswer(p.Data[0], v); err != nil {
		return nil, r.broken(p.meta, unreadable(p.Data[0], err))
	}
	answerOf(v).setMeta(p.meta)
	return v, nil
}

// ProfileUpdateParams are the parameters of [ProfilesService.Update]. What is nil stays as it is.
type ProfileUpdateParams struct {
	About       *string `json:"about,omitzero"`       // 1 to 139 characters
	Address     *string `json:"address,omitzero"`     // at most 256
	Description *string `json:"description,omitzero"` // at most 512
	Email       *string `json:"email,omitzero"`       // at most 128

	// Vertical is the line of business, in capitals such as "RETAIL".
	Vertical *string `json:"vertical,omitzero"`

	// Websites are at most two URLs with scheme, each at most 256 characters.
	Websites []string `json:"websites,omitempty"`

	// Picture is the handle of a picture, see [UploadsService.Upload]. If empty, the picture stays.
	Picture graph.UploadHandle `json:"profile_picture_handle,omitzero"`
}

// MarshalJSON writes the body of the request.
func (u ProfileUpdateParams) MarshalJSON() ([]byte, error) {
	type plain ProfileUpdateParams
	return json.Marshal(struct {
		product
		plain
	}{whatsapp, plain(u)})
}

// check checks the limits that pages of Meta's agree on. Two of them differ about the description;
// the larger one counts here.
func (u ProfileUpdateParams) check() error {
	var p problems
	for _, m := range []struct {
		name  string
		value *string
		limit int
	}{
		{"About", u.About, 139}, {"Address", u.Address, 256},
		{"Description", u.Description, 512}, {"Email", u.Email, 128},
	} {
		if m.value != nil {
			p.atMost("ProfileUpdateParams."+m.name, *m.value, m.limit)
		}
	}
	if u.About != nil {
		p.required("ProfileUpdateParams.About", *u.About)
	}
	p.count("ProfileUpdateParams.Websites", len(u.Websites), 0, 2)
	for i, site := range u.Websites {
		at := "ProfileUpdateParams.Websites[" + strconv.Itoa(i) + "]"
		p.atMost(at, site, 256)
		p.webURL(at, site)
	}
	return p.err()
}

// Update changes the profile.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles
//
// graph:POST /{phone-number-id}/whatsapp_business_profile
func (s *ProfilesService) Update(ctx context.Context, phone graph.PhoneNumberID, u ProfileUpdateParams) error {
	if err := u.check(); err != nil {
		return err
	}
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/whatsapp_business_profile", ids: []string{string(phone)},
		phone: phone, replay: RetryIdempotent,
	}, u)
}
