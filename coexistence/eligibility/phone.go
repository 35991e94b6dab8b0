package eligibility

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A number is a phone number as far as it could be read.
type number struct {
	e164    string
	region  string     // empty if it cannot be told
	sharing []string   // without a region: the countries of the calling code
	problem ReasonCode // empty if the number can be one
	unusual bool       // possible, but in no numbering plan
}

// parsePhone checks by length and country only. Numbering plans lag behind: they call real
// Brazilian and Mexican WhatsApp numbers invalid, so what they do not know is worth a note and no
// refusal.
func parsePhone(phone, region string) number {
	phone, region = strings.TrimSpace(visible(phone)), strings.ToUpper(strings.TrimSpace(region))
	if callingCode(region) == 0 {
		region = ""
	}
	unread := number{region: region}
	if phone == "" {
		unread.problem = QuestionPhone
		return unread
	}
	if digits, ok := strings.CutPrefix(phone, "00"); ok && region == "" {
		phone = "+" + digits
	}
	n, err := phonenumbers.Parse(phone, region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode) && region == "" && !strings.ContainsAny(phone, "+＋"):
		unread.problem = QuestionPhoneCountry
		return unread
	case err != nil:
		unread.problem = ReasonPhoneInvalid
		return unread
	}
	read := number{e164: phonenumbers.Format(n, phonenumbers.E164)}
	read.region, read.sharing = regionOf(n, region)
	switch {
	case !possible(n) && !possibleKey(read.e164), !readsBack(read.e164):
		read.e164, read.problem = "", ReasonPhoneInvalid
	case read.region == "MX" || read.region == "AR" || read.region == "BR": // see graph.EquivalenceKey
	default:
		read.unusual = !phonenumbers.IsValidNumber(n)
	}
	return read
}

// visible leaves out what a number from a phone's address book brings along when it is pasted:
// marks of the writing direction.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// regionOf tells the country, by the one that was given where the number does not say it, or else
// the countries that it can be.
func regionOf(n *phonenumbers.PhoneNumber, given string) (region string, sharing []string) {
	region = phonenumbers.GetRegionCodeForNumber(n)
	if region != "" && region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return region, nil
	}
	sharing = phonenumbers.GetRegionCodesForCountryCode(int(n.GetCountryCode()))
	if slices.Contains(sharing, given) {
		return given, nil
	}
	return "", sharing
}

func possible(n *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}

// possibleKey tries the other spelling under which WhatsApp knows the number.
func possibleKey(e164 string) bool {
	n, err := phonenumbers.Parse("+"+graph.EquivalenceKey(e164), "")
	return err == nil && possible(n)
}

// readsBack reports whether the number, read again, is still itself. It is not if its national part
// begins with a trunk prefix even after one was taken off, as with three zeros in Ghana: each
// reading would take off another. No numbering plan has such a number, and a host that reads it a
// second time would store it as a different one.
func readsBack(e164 string) bool {
	n, err := phonenumbers.Parse(e164, "")
	return err == nil && phonenumbers.Format(n, phonenumbers.E164) == e164
}

// callingCode is 0 for what is no country.
func callingCode(region string) int { return phonenumbers.GetCountryCodeForRegion(region) }
