package graph

// A FeatureState says whether a feature of a number is on. Meta may add values.
type FeatureState string

const (
	FeatureEnabled  FeatureState = "ENABLED"
	FeatureDisabled FeatureState = "DISABLED"
)

// CallHours are when a number can be called.
type CallHours struct {
	// Status is whether the hours apply.
	Status FeatureState `json:"status"`

	// Timezone is the IANA name of the zone that all times are of, such as "America/Sao_Paulo".
	Timezone string `json:"timezone_id"`

	// Weekly are the open hours of a week, and Holidays those of single dates.
	Weekly   []OperatingHour `json:"weekly_operating_hours,omitempty"`
	Holidays []Holiday       `json:"holiday_schedule,omitempty"`
}

// An OperatingHour is a span of one day of the week. Times are four digits, "0930" for half past
// nine.
type OperatingHour struct {
	Day   string `json:"day_of_week"` // such as "MONDAY"
	Open  string `json:"open_time"`
	Close string `json:"close_time"`
}

// A Holiday is a date with hours of its own, in four digits as those of an [OperatingHour].
type Holiday struct {
	Date  string `json:"date"` // such as "2027-01-01"
	Start string `json:"start_time"`
	End   string `json:"end_time"`
}

// SIPSettings connect calls to a SIP server. A number that uses SIP makes no call webhooks, and
// takes no calls through Cloud API.
type SIPSettings struct {
	Status  FeatureState `json:"status"`
	Servers []SIPServer  `json:"servers,omitempty"`
}

// A SIPServer receives the calls of a number. Webhooks name Hostname and Port only.
type SIPServer struct {
	Hostname string            `json:"hostname"`
	Port     int               `json:"port,omitzero"` // zero leaves it to Meta
	Params   map[string]string `json:"request_uri_user_params,omitempty"`
	AppID    AppID             `json:"app_id,omitzero"`

	// Password is made by Meta, and for the owner's eyes.
	Password Secret `json:"sip_user_password,omitzero"`
}
