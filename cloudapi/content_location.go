package cloudapi

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// A Location is a place on the map.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/location-messages
type Location struct {
	Latitude  float64 // degrees, -90 to 90
	Longitude float64 // degrees, -180 to 180

	// Name and Address are shown under the map. Either may be empty.
	Name    string
	Address string
}

// A place is how a location looks on the wire. Meta's samples have the degrees as strings, webhooks
// as numbers, and both are taken.
type place struct {
	Latitude  flexString `json:"latitude"`
	Longitude flexString `json:"longitude"`
	Name      string     `json:"name,omitzero"`
	Address   string     `json:"address,omitzero"`
}

// MarshalJSON writes the member "location" of a message, the degrees without an exponent.
func (l *Location) MarshalJSON() ([]byte, error) {
	return json.Marshal(place{flexString(degrees(l.Latitude)), flexString(degrees(l.Longitude)), l.Name, l.Address})
}

// UnmarshalJSON reads what MarshalJSON writes, and degrees that are numbers.
func (l *Location) UnmarshalJSON(b []byte) error {
	var v place
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	lat, err1 := strconv.ParseFloat(string(v.Latitude), 64)
	long, err2 := strconv.ParseFloat(string(v.Longitude), 64)
	if err1 != nil || err2 != nil {
		return errors.New("cloudapi: a location has a latitude or longitude that is no number")
	}
	*l = Location{lat, long, v.Name, v.Address}
	return nil
}

// MessageType is "location".
func (*Location) MessageType() string { return "location" }

// Summary is the name, or else the address.
func (l *Location) Summary() string {
	if l.Name != "" {
		return l.Name
	}
	return l.Address
}

func (l *Location) check(p *problems) {
	if l == nil {
		p.missing("the Location is nil")
		return
	}
	l.checkAt(p, "Location")
}

// checkAt checks a place by the ranges of a globe. 0, 0 is a place like any other, so that a zero
// value cannot be distinguished from a real one.
func (l *Location) checkAt(p *problems, where string) {
	if math.IsNaN(l.Latitude) || math.Abs(l.Latitude) > 90 {
		p.add("%s.Latitude is not between -90 and 90", where)
	}
	if math.IsNaN(l.Longitude) || math.Abs(l.Longitude) > 180 {
		p.add("%s.Longitude is not between -180 and 180", where)
	}
	p.utf8(where+".Name", l.Name)
	p.utf8(where+".Address", l.Address)
}

func (l *Location) sensitive() []string {
	return []string{degrees(l.Latitude), degrees(l.Longitude), l.Name, l.Address}
}

// degrees writes a number without an exponent, which no sample of Meta's has.
func degrees(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
