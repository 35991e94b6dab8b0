package graph

import "slices"

// A signupArea is a group of codes that Embedded Signup shows in its popup and that can come back
// in a session message. Meta documents them by area, so they are advised by area; those with a
// meaning of their own are in codeTable.
type signupArea struct {
	title  string
	actor  Actor
	advice string
	codes  []Code // a new attempt needs a cure first
	later  []Code // a new attempt later can succeed
}

var signupAreas = []signupArea{
	{
		"Embedded Signup: virtual or test number", ActorBusiness,
		"use a real phone number, or try this one again later",
		[]Code{2655076},
		[]Code{2655005},
	},
	{
		"Embedded Signup: rate limit", ActorNone,
		"wait some hours, then start the signup again",
		nil,
		[]Code{1390006, 1390008, 1675004, 3441033, 3441046},
	},
	{
		"Embedded Signup: business or display name", ActorBusiness,
		"enter another name that follows Meta's naming rules",
		[]Code{1690062, 1690089, 1690090, 1690091, 2388010},
		nil,
	},
	{
		"Embedded Signup: restricted", ActorBusiness,
		"look at the restriction in Business Support Home and appeal, or use another portfolio",
		[]Code{1404163, 1784028, 2388107, 2655089, 2859015, 3441040},
		nil,
	},
	{
		"Embedded Signup: shared account", ActorBusiness,
		"remove the other partner's access first or choose another WhatsApp Business Account",
		[]Code{2494029, 2494120, 2655049},
		nil,
	},
	{
		"Embedded Signup: ad account", ActorBusiness,
		"check the ad account and the user's role in it, or go on without one",
		[]Code{1690214, 1752004, 1752140, 2446325, 2455008, 2655081},
		[]Code{2494149, 2655055},
	},
	{
		"Embedded Signup: Facebook Page", ActorBusiness,
		"check the Page and the user's role on it, or go on without one",
		[]Code{1690181},
		[]Code{1752069},
	},
	{
		"Embedded Signup: sign-in of the Facebook account", ActorBusiness,
		"secure the Facebook account (two-factor authentication, open checkpoints), then start the signup again",
		[]Code{2136001, 2859009, 2859043},
		nil,
	},
	{
		"Embedded Signup: captcha", ActorBusiness,
		"solve the captcha, then start the signup again",
		[]Code{2655091},
		nil,
	},
	{
		"Embedded Signup: system", ActorMeta,
		"start the signup again; if it fails again, give the session id, code and time to Meta's support",
		[]Code{1357053, 1690061, 1752206, 2494102, 2593030, 2593035, 2655069, 4056009},
		[]Code{1675012, 1675030, 1752224, 3441003},
	},
}

func findSignup(code Code) (CodeInfo, bool) {
	for _, area := range signupAreas {
		info := CodeInfo{
			Code: code, Title: area.title, Class: ErrSignup, Retry: RetryNever, Actor: area.actor,
			Meaning: "Embedded Signup stopped. Meta documents the area of this code and not the code itself.",
			Advice:  area.advice, Source: srcSignup,
		}
		switch {
		case slices.Contains(area.codes, code):
			return info, true
		case slices.Contains(area.later, code):
			info.Retry = RetryLater
			return info, true
		}
	}
	return CodeInfo{}, false
}
