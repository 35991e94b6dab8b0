package payload

// A Delivery is a body as plain structs for encoding/json, with the members that package webhook
// reads too: the obvious way to decode, that ours is compared with. The names of the members are
// Meta's, and mean what they mean in package webhook.
type Delivery struct {
	Object string  `json:"object"` // "whatsapp_business_account"
	Entry  []Entry `json:"entry"`
}

// An Entry is an account's part of a delivery.
type Entry struct {
	ID      string   `json:"id"`   // of the account
	Time    int64    `json:"time"` // Unix, in seconds
	Changes []Change `json:"changes"`
}

// A Change is a value with the field that it belongs to, such as "messages" or "history".
type Change struct {
	Field string `json:"field"`
	Value Value  `json:"value"`
}

// A Value holds the lists of all four hot fields. Which of them are there depends on the field: the
// struct is the union, since encoding/json cannot choose by the field beside.
type Value struct {
	Product  string `json:"messaging_product"` // "whatsapp"
	Metadata struct {
		Display string `json:"display_phone_number"` // of the business, in digits
		Phone   string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts  []Contact     `json:"contacts"`
	Messages  []Message     `json:"messages"`
	Echoes    []Message     `json:"message_echoes"` // written on the phone of the business
	Statuses  []Receipt     `json:"statuses"`
	StateSync []AppState    `json:"state_sync"` // of the address book
	History   []HistoryItem `json:"history"`
	Errors    []Error       `json:"errors"` // of the whole value
}

// A Contact is a person who wrote, or is written about.
type Contact struct {
	WAID         string `json:"wa_id"` // absent if the person hides the number
	UserID       string `json:"user_id"`
	ParentUserID string `json:"parent_user_id"`
	Profile      struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
}

// A Message is a message in any of the lists: live, echoed or past. Its content is in the member
// that is called like its type; the others are nil.
type Message struct {
	ID             string       `json:"id"`
	From           string       `json:"from"`
	FromUser       string       `json:"from_user_id"`
	FromParent     string       `json:"from_parent_user_id"`
	To             string       `json:"to"` // of echoes and past messages
	ToUser         string       `json:"to_user_id"`
	ToParent       string       `json:"to_parent_user_id"`
	Timestamp      string       `json:"timestamp"` // Unix, in seconds, as a string
	Type           string       `json:"type"`
	Text           *Body        `json:"text"`
	Image          *Media       `json:"image"`
	Video          *Media       `json:"video"`
	Audio          *Media       `json:"audio"`
	Document       *Media       `json:"document"`
	Sticker        *Media       `json:"sticker"`
	Location       *Location    `json:"location"`
	Reaction       *Reaction    `json:"reaction"`
	Interactive    *Interactive `json:"interactive"`
	Button         *Button      `json:"button"`
	Context        *Context     `json:"context"`
	Errors         []Error      `json:"errors"`
	HistoryContext *struct {    // of past messages
		Status string `json:"status"`
	} `json:"history_context"`
}

// A Body is the content of a text.
type Body struct {
	Body string `json:"body"`
}

// A Media is the content of a message with a file, which the URL leads to for some minutes.
type Media struct {
	ID       string `json:"id"`
	MIMEType string `json:"mime_type"`
	SHA256   string `json:"sha256"` // of the file, in base64
	URL      string `json:"url"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
}

// A Location is a place on the map.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

// A Reaction is an emoji on a message; an empty one takes it back.
type Reaction struct {
	Message string `json:"message_id"`
	Emoji   string `json:"emoji"`
}

// An Interactive is an answer to a message with buttons or a list.
type Interactive struct {
	Type   string  `json:"type"`
	Button *Choice `json:"button_reply"`
	List   *Choice `json:"list_reply"`
}

// A Choice is the button or the row that was chosen.
type Choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// A Button is a pressed button of a template.
type Button struct {
	Payload string `json:"payload"`
	Text    string `json:"text"`
}

// A Context is the message that another one answers.
type Context struct {
	From string `json:"from"`
	ID   string `json:"id"`
}

// A Receipt is the status of a message that was sent, with what it costs.
type Receipt struct {
	ID            string `json:"id"`
	Status        string `json:"status"` // such as "delivered"
	Timestamp     string `json:"timestamp"`
	Recipient     string `json:"recipient_id"`
	RecipientUser string `json:"recipient_user_id"`
	CallbackData  string `json:"biz_opaque_callback_data"` // as it was sent
	Conversation  *struct {
		ID        string `json:"id"`
		ExpiresAt string `json:"expiration_timestamp"`
		Origin    struct {
			Type string `json:"type"`
		} `json:"origin"`
	} `json:"conversation"`
	Pricing *struct {
		Model    string `json:"pricing_model"`
		Type     string `json:"type"`
		Category string `json:"category"`
		Billable *bool  `json:"billable"`
	} `json:"pricing"`
	Errors []Error `json:"errors"`
}

// An Error is why a message failed, or could not be shown.
type Error struct {
	Code    int    `json:"code"` // see graph.Code
	Title   string `json:"title"`
	Message string `json:"message"`
	Href    string `json:"href"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

// An AppState is an entry of the address book on the phone, as it is now or was removed.
type AppState struct {
	Type    string `json:"type"`
	Action  string `json:"action"` // "add" or "remove"
	Contact struct {
		FullName  string `json:"full_name"`
		FirstName string `json:"first_name"`
		Phone     string `json:"phone_number"`
		UserID    string `json:"user_id"`
		Username  string `json:"username"`
	} `json:"contact"`
	Metadata struct {
		Timestamp string `json:"timestamp"`
	} `json:"metadata"`
}

// A HistoryItem is a chunk of the history, or the error that there will be none.
type HistoryItem struct {
	Metadata struct {
		Phase    int `json:"phase"`       // 0 to 2
		Order    int `json:"chunk_order"` // within the phase
		Progress int `json:"progress"`    // of all phases, in percent
	} `json:"metadata"`
	Threads []Thread `json:"threads"`
	Errors  []Error  `json:"errors"`
}

// A Thread is a conversation with one customer.
type Thread struct {
	ID      string `json:"id"`
	Context struct {
		WAID         string `json:"wa_id"`
		UserID       string `json:"user_id"`
		ParentUserID string `json:"parent_user_id"`
		Username     string `json:"username"`
	} `json:"context"`
	Messages []Message `json:"messages"`
}
