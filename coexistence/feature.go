package coexistence

import (
	"slices"
	"time"
)

// A Feature is something that the WhatsApp Business app can do. What becomes of it, [Features]
// tells.
type Feature string

const (
	FeatureChats            Feature = "one-to-one chats"
	FeatureContacts         Feature = "contacts"
	FeatureGroups           Feature = "group chats"
	FeatureDisappearing     Feature = "disappearing messages"
	FeatureViewOnce         Feature = "view once"
	FeatureLiveLocation     Feature = "live location"
	FeatureBroadcasts       Feature = "broadcast lists"
	FeatureCalls            Feature = "calls"
	FeatureCatalog          Feature = "catalog, orders and status"
	FeatureMessagingTool    Feature = "messaging tools"
	FeatureProfile          Feature = "business profile"
	FeatureChannels         Feature = "channels"
	FeatureLinkedDevices    Feature = "linked devices"
	FeatureWindowsAndWearOS Feature = "WhatsApp for Windows and Wear OS"
)

// An AppEffect is the effect of a connection on a feature of the app.
type AppEffect string

const (
	AppUnchanged AppEffect = "unchanged" // works as before
	AppReduced   AppEffect = "reduced"   // something of it works no more, or has to be set up again
	AppDisabled  AppEffect = "disabled"  // works no more, as long as the number is connected
)

// A FeatureChange describes how a feature changes once a number is connected. The texts are whole
// sentences, fit to show to a business before it decides.
type FeatureChange struct {
	Feature Feature

	// Name is the name of the feature.
	Name string

	// App is the effect in the app, and AppText describes it.
	App     AppEffect
	AppText string

	// OnAPI means that it works through Cloud API as well, and APIText says how, or that it does
	// not.
	OnAPI   bool
	APIText string

	// Source is the URL of Meta's page, AsOf the date of that page.
	Source string
	AsOf   time.Time
}

const (
	featurePage   = "https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users"
	worksAsBefore = "It works as before."
)

// Features lists what changes for a business that connects its number, in the order of Meta's own
// table. Show it before the business goes through signup: nothing else tells it that its broadcast
// lists end and that its linked devices are logged out.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
func Features() []FeatureChange {
	asOf := time.Date(2026, time.June, 26, 0, 0, 0, 0, time.UTC)
	all := slices.Clone(features)
	for i := range all {
		all[i].Source, all[i].AsOf = featurePage, asOf
	}
	return all
}

var features = []FeatureChange{
	{
		Feature: FeatureChats, Name: "Chats with one person", App: AppUnchanged,
		AppText: "They work as before, and so does editing and deleting of messages. " +
			"Messages of your provider show up in them.",
		OnAPI: true,
		APIText: "New messages of both sides are mirrored, and the chats of the last six months " +
			"can be copied once.",
	},
	{
		Feature: FeatureContacts, Name: "Contacts", App: AppUnchanged, AppText: worksAsBefore,
		OnAPI: true, APIText: "Contacts with a WhatsApp number are copied, and their changes follow.",
	},
	{
		Feature: FeatureGroups, Name: "Group chats", App: AppUnchanged, AppText: "They work as before.",
		APIText: "They stay in the app; they are neither copied nor mirrored.",
	},
	{
		Feature: FeatureDisappearing, Name: "Disappearing messages", App: AppDisabled,
		AppText: "They are turned off in chats with one person.", APIText: "They do not exist there.",
	},
	{
		Feature: FeatureViewOnce, Name: "View-once messages", App: AppDisabled,
		AppText: "They are disabled in chats with one person.", APIText: "They do not exist there.",
	},
	{
		Feature: FeatureLiveLocation, Name: "Live location", App: AppDisabled,
		AppText: "It is disabled in chats with one person.", APIText: "It does not exist there.",
	},
	{
		Feature: FeatureBroadcasts, Name: "Broadcast lists", App: AppDisabled,
		AppText: "No new ones can be made, and existing ones can only be read.",
		APIText: "They do not exist there; your provider can send templates.",
	},
	{
		Feature: FeatureCalls, Name: "Voice and video calls", App: AppUnchanged, AppText: "They work as before.",
		APIText: "They stay in the app.",
	},
	{
		Feature: FeatureCatalog, Name: "Catalog, orders and status", App: AppUnchanged, AppText: "They work as before.",
		APIText: "They stay in the app; your provider neither sees nor uses them.",
	},
	{
		Feature: FeatureMessagingTool, Name: "Marketing, greeting and away messages, quick replies, labels",
		App: AppUnchanged, AppText: "They work as before.",
		APIText: "They stay in the app; your provider neither sees nor uses them.",
	},
	{
		Feature: FeatureProfile, Name: "Business profile", App: AppUnchanged,
		AppText: "It is edited in the app, as before.",
		APIText: "It cannot be edited there.",
	},
	{
		Feature: FeatureChannels, Name: "Channels", App: AppUnchanged, AppText: "They work as before.",
		APIText: "They stay in the app.",
	},
	{
		Feature: FeatureLinkedDevices, Name: "Linked devices", App: AppReduced,
		AppText: "All of them are logged out once. Up to four can be linked again, " +
			"except for WhatsApp for Windows and Wear OS.",
		OnAPI: true, APIText: "What is written on a linked device is mirrored like what is written on the phone.",
	},
	{
		Feature: FeatureWindowsAndWearOS, Name: "WhatsApp for Windows and for Wear OS", App: AppDisabled,
		AppText: "They cannot be linked. Customers who use them see a placeholder instead of your messages.",
		APIText: "Messages from and to them are not mirrored.",
	},
}
