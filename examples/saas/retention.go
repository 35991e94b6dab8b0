package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
)

// retentions are the days for which a tenant can have messages kept; 0 is forever.
var retentions = []int{0, 30, 90, 180, 365, 730}

// retention is for coexistence.Config.Retention: Tracker.Run asks once a day for each number, and
// forgets what is older.
func (a *app) retention(ctx context.Context, phone graph.PhoneNumberID) (time.Duration, error) {
	n, err := a.db.Tokens().Get(ctx, phone)
	if errors.Is(err, storage.ErrNoToken) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	days, err := a.retentionDays(ctx, n.Tenant)
	return time.Duration(days) * 24 * time.Hour, err
}

// retentionDays is what a tenant has chosen.
func (a *app) retentionDays(ctx context.Context, tenant string) (days int, err error) {
	err = a.db.SQL().QueryRowContext(ctx, "SELECT days FROM saas_retentions WHERE tenant = $1", tenant).Scan(&days)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return days, err
}

// serveSettings shows the settings of a tenant.
func (a *app) serveSettings(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	days, err1 := a.retentionDays(r.Context(), t.id)
	numbers, err2 := a.db.Tokens().List(r.Context(), t.id)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	v := view{Page: "settings", Title: "Settings", Tenant: t, Data: struct {
		Days    int
		Choices []int
		Saved   bool
	}{days, retentions, r.Form.Has("saved")}}
	if len(numbers) > 0 {
		v.Number = &numbers[0]
	}
	a.render(w, r, v)
	return nil
}

// changeSettings takes the form of serveSettings.
func (a *app) changeSettings(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || !slices.Contains(retentions, days) {
		http.Error(w, "Choose one of the periods.", http.StatusUnprocessableEntity)
		return nil
	}
	_, err = a.db.SQL().ExecContext(r.Context(), `INSERT INTO saas_retentions (tenant, days) VALUES ($1, $2)
		ON CONFLICT (tenant) DO UPDATE SET days = excluded.days`, t.id, days)
	return see(w, r, "/settings?saved", err)
}
