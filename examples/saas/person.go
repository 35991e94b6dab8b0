package main

import (
	"archive/zip"
	"fmt"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// servePerson shows the stored data of a person, with export and forget.
func (a *app) servePerson(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("person"))
	if err == nil {
		a.render(w, r, view{Page: "person", Title: "Person", Tenant: t, Number: n, Data: c})
	}
	return err
}

// export sends everything stored about a person in a zip file. An error aborts a response that has
// begun, so that a browser does not take a part for the whole file.
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

// forget deletes everything stored about a person, at Meta too if asked, if the form confirms it.
// If the process ends meanwhile, Tracker.Run finishes it.
func (a *app) forget(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("person"))
	if err != nil {
		return err
	}
	if r.PostForm.Get("confirmed") == "" {
		http.Error(w, "Nothing was deleted. Tick the box to confirm.", http.StatusUnprocessableEntity)
		return nil
	}
	err = a.tracker.Forget(r.Context(), coexistence.ForgetRequest{
		PhoneNumberID: n.PhoneNumberID, Person: c.ID, AtMeta: r.PostForm.Get("meta") != "",
	})
	a.changes.add(n.PhoneNumberID)
	return see(w, r, fmt.Sprint("/numbers/", n.PhoneNumberID, "/inbox"), err)
}
