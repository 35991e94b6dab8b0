package main

import (
	"archive/zip"
	"fmt"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// servePerson shows what is known of a person, and what can be done about it: export, forget.
func (a *app) servePerson(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("person"))
	if err == nil {
		a.render(w, r, view{Page: "person", Title: "Person", Tenant: t, Number: n, Data: c})
	}
	return err
}

// export sends all that is stored of a person in a zip file. An answer that has begun is broken off
// by an error, so that a browser does not take a part for the whole.
func (a *app) export(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("person"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="person-%s.zip"`, hashed(c.ID)[:8]))
	w.Header().Set("Cache-Control", "no-store")
	z := zip.NewWriter(w)
	err = a.exportAll(r.Context(), z, c)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		a.log.ErrorContext(r.Context(), "an export broke off", "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// forget deletes all that is stored of a person, at Meta too if asked, once the form says that it
// is meant. If the process ends meanwhile, Tracker.Run finishes it.
func (a *app) forget(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("person"))
	if err != nil {
		return err
	}
	if r.PostForm.Get("confirmed") == "" {
		http.Error(w, "Tick the box that confirms it. Nothing was deleted.", http.StatusUnprocessableEntity)
		return nil
	}
	err = a.tracker.Forget(r.Context(), coexistence.ForgetRequest{
		PhoneNumberID: n.PhoneNumberID, Person: c.ID, AtMeta: r.PostForm.Get("meta") != "",
	})
	a.changes.add(n.PhoneNumberID)
	return see(w, r, fmt.Sprint("/numbers/", n.PhoneNumberID, "/inbox"), err)
}
