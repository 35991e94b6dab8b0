package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// aging is how often an open page is rendered without a change, since it shows times: until when a
// bot is silent, whether a customer can be answered.
const aging = 20 * time.Second

// show responds with the page that look returns. The script of an open page gets it again whenever
// it differs.
func (a *app) show(
	w http.ResponseWriter, r *http.Request, t *tenant, n *number,
	look func(context.Context) (view, error),
) error {
	if !live.Wanted(r) {
		v, err := look(r.Context())
		if err == nil {
			a.render(w, r, v)
		}
		return err
	}
	p := live.Page{
		Session: t.session,
		Allowed: func(ctx context.Context) error { return a.allowed(r.WithContext(ctx), n) },
		Version: func(ctx context.Context) (string, error) { return a.version(ctx, t, n) },
		Render: func(ctx context.Context, _ string) (string, error) {
			var out strings.Builder
			v, err := look(ctx)
			if err == nil {
				err = pages[v.Page].Execute(&out, v)
			}
			return out.String(), err
		},
	}
	if n != nil {
		p.Topic = string(n.PhoneNumberID)
	}
	a.changes.news.Stream(w, r, p)
	return nil
}

// allowed returns live.ErrEnded if the visitor has signed out, or the number is another tenant's by
// now.
func (a *app) allowed(r *http.Request, n *number) error {
	t, err := a.tenantOf(r)
	if err == nil && n != nil {
		_, err = a.numberOf(r.Context(), t, n.PhoneNumberID)
	}
	if errors.Is(err, errSignIn) || errors.Is(err, errNotFound) {
		return live.ErrEnded
	}
	return err
}

// version returns the version of the pages of a number, or of all numbers of a tenant if n is nil.
// It reads two rows for each number.
func (a *app) version(ctx context.Context, t *tenant, n *number) (string, error) {
	var list []number
	if n != nil {
		list = append(list, *n)
	} else {
		var err error
		if list, err = a.db.Tokens().List(ctx, t.id); err != nil {
			return "", err
		}
	}
	version := fmt.Append(nil, time.Now().UnixNano()/int64(aging))
	for _, n := range list {
		state, err1 := a.tracker.Store().Number(ctx, n.PhoneNumberID)
		count, err2 := a.changes.version(ctx, n.PhoneNumberID)
		if err := errors.Join(err1, err2); err != nil {
			return "", err
		}
		version = fmt.Appendf(version, " %s %d %d", n.PhoneNumberID, state.Version, count)
	}
	return string(version), nil
}
