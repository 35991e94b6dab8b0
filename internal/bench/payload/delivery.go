package payload

// A Delivery is a body as plain structs for encoding/json, with the members that package webhook
// reads too.
type Delivery struct {
	Object string  `json:"object"`
	Entry  []Entry `json:"entry"`
}

// An Entry is an account's part of a delivery.
type Entry struct {
	ID      string   `json:"id"`
	Time    int64    `json:"time"`
	Changes []Change `json:"changes"`
}

// A Change is a labelled value.
type Change struct {
	Field string `json:"field"`
	Value Value  `json:"value"`
}

// A Value holds the lists of all four hot fields.
type Value struct {
	Product  string `json:"messaging_product"`
	Metadata struct {
		Display string `json:"display_phone_number"`
		Phone   string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts  []Contact     `json:"contacts"`
	Messages  []Message     `json:"messages"`
	Echoes    []Message     `json:"message_echoes"`
	Statuses  []Receipt     `json:"statuses"`
	StateSync []AppState    `json:"state_sync"`
	History   []HistoryItem `json:"history"`
	Errors    []Error       `json:"errors"`
}

// A Contact is a person.
type Contact struct {
	WAID         string `json:"wa_id"`
	UserID       string `json:"user_id"`
	ParentUserID string `json:"parent_user_id"`
	Profile      struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
}

// A Message is a message in any of the lists.
type Message struct {
	ID             string       `json:"id"`
	From           string       `json:"from"`
	FromUser       string       `json:"from_user_id"`
	FromParent     string       `json:"from_parent_user_id"`
	To             string       `json:"to"`
	ToUser         string       `json:"to_user_id"`
	ToParent       string       `json:"to_parent_user_id"`
	Timestamp      string       `json:"timestamp"`
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
	HistoryContext *struct {
		Status string `json:"status"`
	} `json:"history_context"`
}

// A Body is written text.
type Body struct {
	Body string `json:"body"`
}

// A Media is a file.
type Media struct {
	ID       string `json:"id"`
	MIMEType string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	URL      string `json:"url"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
}

// A Location is a place.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

// A Reaction is an emoji on a message.
type Reaction struct {
	Message string `json:"message_id"`
	Emoji   string `json:"emoji"`
}

// An Interactive is an answer.
type Interactive struct {
	Type   string  `json:"type"`
	Button *Choice `json:"button_reply"`
	List   *Choice `json:"list_reply"`
}

// A Choice is what was chosen.
type Choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// A Button is a pressed button.
type Button struct {
	Payload string `json:"payload"`
	Text    string `json:"text"`
}

// A Context is what a message refers to.
type Context struct {
	From string `json:"from"`
	ID   string `json:"id"`
}

// A Receipt is what happened to a message.
type Receipt struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	Timestamp     string `json:"timestamp"`
	Recipient     string `json:"recipient_id"`
	RecipientUser string `json:"recipient_user_id"`
	CallbackData  string `json:"biz_opaque_callback_data"`
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

// An Error is a problem.
type Error struct {
	Code    int    `json:"code"`
	Title   string `json:"title"`
	Message string `json:"message"`
	Href    string `json:"href"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

// An AppState is a contact of the address book.
type AppState struct {
	Type    string `json:"type"`
	Action  string `json:"action"`
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

// A HistoryItem is a chunk.
type HistoryItem struct {
	Metadata struct {
		Phase    int `json:"phase"`
		Order    int `json:"chunk_order"`
		Progress int `json:"progress"`
	} `json:"metadata"`
	Threads []Thread `json:"threads"`
	Errors  []Error  `json:"errors"`
}

// A Thread is a conversation.
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
