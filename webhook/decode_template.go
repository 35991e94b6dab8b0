package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"

// readTemplate reads a change about a template by its shape, because Meta prints quality updates
// under the name of status updates. Where the shape says nothing, the name does.
func readTemplate(d *decoder, change []byte, info EventInfo) (loose, unread []wire.Member) {
	quality := memberOf(change, "new_quality_score") != nil || memberOf(change, "previous_quality_score") != nil
	if quality || info.Field == FieldMessageTemplateQualityUpdate && d.value.event == nil {
		return readTemplateQuality(d, change, info)
	}
	return readTemplateStatus(d, change, info)
}

var (
	readTemplateQuality = one(as[MessageTemplateQualityUpdate])
	readTemplateStatus  = one(as[MessageTemplateStatusUpdate])
)
