package main

import (
	"context"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
)

// A usageView is the billed and the free messages of a month, for the page of a number.
type usageView struct {
	*usage.Month

	FreeLeft, FreeOf int // service messages
}

// usageOf reads the current month of a number with one statement.
func (a *app) usageOf(ctx context.Context, n *number) (usageView, error) {
	month, err := a.meter.Month(ctx, n.PhoneNumberID, time.Now())
	if err != nil {
		return usageView{}, err
	}
	return usageView{month, month.FreeServiceLeft(), usage.FreeServiceMessages}, nil
}
