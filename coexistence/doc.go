// Package coexistence tracks a phone number that is used in the WhatsApp Business app and on Cloud
// API at the same time (coexistence): its state, history sync, messages and contacts.
//
// A business keeps its app and its chats, and a server sends and receives on the same number. Meta
// calls this "onboarding WhatsApp Business app users". What the business writes on its phone
// arrives as an echo, what the server sends shows up on the phone, and once, right after signup,
// the address book and up to six months of chats can be imported.
//
//	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: appSecret})
//	…
//	tracker, err := coexistence.NewTracker(coexistence.Config{
//		Store: new(coexistence.MemStore),
//		Client: func(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Client, error) {
//			token, err := tokens.Of(ctx, phone) // where the host stores its businesses' tokens
//			return client.WithToken(token), err
//		},
//	})
//	…
//	go tracker.Run(ctx) // does what is due for all numbers
//	var mux webhook.Mux // the host's own handlers, such as a bot
//	// Meta repeats deliveries. The inbox (webhook/inbox) keeps each event until it is handled, and
//	// hands it over once: a bot answers once.
//	handler := webhook.MultiHandler(tracker, &mux)
//	in, err := sqliteinbox.Open(ctx, "data/inbox.db", handler, inbox.Config{Logger: logger})
//	…
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//	…
//	// when signup is done:
//	err = tracker.Onboard(ctx, business.Onboarding)
//	result, err := tracker.RequestSync(ctx, phone)
//
// A [Tracker] is a [webhook.Handler] that keeps three things in a [Store]: a [Number] for each
// phone number with its stage, the messages of each conversation, and the contacts. The host's own
// handlers come after it and find everything stored. In the app dashboard, subscribe the app to the
// webhook fields of the tracker ([Fields]) and to those of the handlers ([webhook.Mux.Fields]).
//
// # The life of a number
//
//	            signup             RequestSync                   history complete,
//	             done                                            declined or skipped
//	(none) ───────────► onboarded ───────────► syncing ─────────────────────────────► active
//	                        │                     │                                      │
//	                        └──────────┬──────────┴──────────────────┬───────────────────┘
//	                                   │                             │
//	              ACCOUNT_OFFBOARDED   │     ▲ ACCOUNT_              │  PARTNER_REMOVED, app
//	              (new phone,          ▼     │ RECONNECTED           ▼  uninstalled, account deleted
//	               reinstalled app)   offboarded                  removed ──► signup: onboarded
//
// [Stage.Advice] says what each stage asks of the host. In short: onboarded needs
// [Tracker.RequestSync] within 24 hours; syncing and active need nothing; offboarded is temporary,
// so keep the token and wait; removed is final, so stop sending and show [Number.Remedy] to the
// business. A new signup begins a new cycle with fresh syncs; a reconnection does not.
//
// Account updates name an account, rarely a number, arrive out of order, and have been seen with
// times in the wrong order. [Number.Apply] therefore decides by content and not by arrival. Reading
// the number settles it: [Tracker.Run] does so after each of them ([Number.NeedsRefresh]), and
// [Tracker.Refresh] at once. Updates follow no callback override: they go to the app's own callback
// URL, which has to reach the tracker too.
//
// # Contacts and history come once
//
// Each onboarding allows one request for contacts and one for history, within 24 hours
// ([SyncWindow]). Meta answers "accepted", and then data, a refusal or nothing at all arrives by
// webhook. If the app is not subscribed everywhere at that moment, the data is lost, silently and
// for good. So [Tracker.RequestSync] first checks that everything is in place, and otherwise
// returns every problem at once; it stores each intent before the call, and never repeats a call
// whose outcome is unknown.
//
// [Number.Due] says what can still be asked for, [Number.Remaining] how long,
// [Number.ContactsStatus] and [Number.HistoryStatus] how far it is, and [SyncStatus.Advice] what to
// do then. A sync that brings nothing becomes stalled after an hour; [Number.Checklist] says what
// to check.
//
// [Tracker.Run] is all that a host has to start for it: at once and then every few minutes, it
// requests for each number what is due and was refused before, and reads the numbers that need it.
// A host that is called by a timer calls [Tracker.ReconcileAll], and [Tracker.Reconcile] is for a
// number that should not wait.
//
// [HistorySync] is the progress of the history: Progress overall, and for each phase the chunks
// that arrived, those that are missing between them, and the messages that could not be read. Meta
// names no total, so a gap behind the last chunk cannot be seen.
//
// [Features] lists what changes in the app itself, such as broadcast lists that end and linked
// devices that are logged out. Show it to the business before it decides.
//
// # One view of a conversation
//
// A [Message] has one shape whether the customer wrote it, the app echoed it, the API sent it or
// history brought it. Edits, revocations, reactions and statuses change the message that they are
// about, before or after it arrives. Media of history joins its placeholder, the real message
// replaces an "unavailable" one of the same id, a live message beats an imported one. The same
// events make the same messages in any order and any number of repeats. [Tracker.Send] sends a
// message and stores it; what the server sends by itself, it registers with [Tracker.RecordSent].
//
// People are known by business-scoped user id, by phone number, or by both. A [Contact] joins what
// turns out to be one person, across changes of number and the several spellings of numbers in
// Mexico, Argentina and Brazil, and a conversation is all that was said with one Contact. The
// number of the business itself is never a customer. What is said in a group is a conversation of
// its own, whose key is "group:" and the id of the group; as of November 2026, Meta shares no
// groups of coexistence numbers.
//
// # What cannot be known
//
// Meta reports nothing of what happens while a number is offboarded or removed. Of the time before
// the signup it reports only what a history holds: 180 days, media of the last 14, the latest text
// of an edited message, no deleted messages. Chunks do not say to which onboarding they belong, so
// history that is still under way when a later onboarding asks for its own counts as an answer to
// that. Within these limits a store ends up with exactly what the phone shows. A model test of ten
// thousand random lives of a number, with a host that crashes within any call, proves it.
//
// # Bots and people
//
// On these numbers a person and a bot share a conversation, and since September 2026 other
// responders can be in it too: other partners, and Meta's agent. [Tracker.MayAnswer] joins all of
// them into one answer, with the reason and until when it holds. It never allows an answer to an
// echo, an edit, history, a message in a group, one to another responder or an old one, and none
// while a person is in the conversation:
//
//	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
//		may, err := tracker.MayAnswer(ctx, m)
//		if err != nil || !may.Allowed {
//			return err
//		}
//		…
//	})
//
// [Tracker.MaySend] asks the same for what people send, [Tracker.Thread] says who owns a
// conversation, and [Tracker.Pause] keeps bots silent while a colleague works in the host's inbox.
// What another responder receives and sends is on the timeline under [OriginOther]. [Tracker.Pass],
// [Tracker.Release] and [Tracker.Take] move a conversation. Subscribe to [OptionalFields].
//
// Meta's pages do not say how routing works with coexistence (November 2026): whether a message of
// the phone moves a conversation, whether Meta's agent can run on such a number, and what happens
// at the 24th hour to the second. Here the phone moves nothing and silences bots, and Meta has the
// last word with code 131070. Open too are the path of Meta's Routing Roles call, which nothing
// here makes, and two partners on a number without routing: both get each message, and neither
// knows of the other.
//
// What was imported ([Message.Imported]) is not new: notify no one of it, and open no ticket. It
// opens no service window.
//
// What a colleague writes in an inbox of your own counts as written by a person if it is sent with
// [cloudapi.Message].ByPerson.
//
// # Stop means stop
//
// A person can stop the marketing messages of a number: in WhatsApp (subscribe to
// user_preferences), with a word of [Config].StopWords, or by telling a colleague
// ([Tracker.StopMarketing]); a refusal of Meta's with code 131050 proves a stop. It holds until the
// person resumes. [Thread].StoppedAt and StoppedBy say since when and how that became known.
// [Tracker.MaySend] refuses what is marketing with [AnswerStopped], and the outbox asks it before
// each message. A stop is exported and forgotten with its person; it never expires.
//
// # Screens
//
// A store serves the screens of an inbox, each at the cost of a page, however much is stored:
//
//	chats, err := store.ListConversations(ctx, phone, coexistence.ConversationListOptions{Limit: 30})
//	page, err := store.ListMessages(ctx, phone, chats[0].ID, coexistence.MessageListOptions{Limit: 50})
//	older, err := store.ListMessages(ctx, phone, chats[0].ID, coexistence.MessageListOptions{
//		Before: page[0].Cursor(), Limit: 50,
//	})
//	err = tracker.MarkRead(ctx, phone, chats[0].ID, page[len(page)-1].Cursor(), true) // with blue ticks
//	people, err := store.FindPeople(ctx, phone, "ada", 20)
//	found, next, err := store.SearchMessages(ctx, phone, "rye bread", "", 20)
//
// Messages come in the order in which the phone shows them: see [Message.Compare]. The ID of a
// conversation never changes, so tables of your own may hang on it: see [Conversation].
//
// # The phone must stay in use
//
// Meta disconnects a number whose phone was idle for about two weeks. [Number.IdleWarning] is true
// after ten days without a sign. Never register or deregister a coexistence number through the API.
//
// # Stores
//
// [MemStore] forgets everything when the process ends. The packages sqlite and postgres below this
// one open, in one call, a file or a database for it, and for signups, inbox and outbox. A store of
// your own implements [Store] and proves it with coexistencetest.TestStore. Several processes can
// each have a Tracker over one database; all decisions are made in the store's atomic updates.
//
// # Forgetting and exporting
//
// [Tracker.Forget] forgets a person, what is old, or everything about a number, and keeps late
// webhooks from bringing it back. [Export] writes what is stored of a person; with a database,
// storage.DB.Export writes all of it. [Config].Retention has [Tracker.Run] forget what is older
// than each tenant wants.
//
// Events of numbers that were never onboarded are stored, because they can be faster than the end
// of a signup; [Config].OnboardedOnly passes them over. Those of a forgotten number never are,
// until it is signed up again.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/wiring.md
package coexistence
