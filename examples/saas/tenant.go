package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// A tenant is a business that uses the product, with one person who signs in. Put your own sign-in
// here: what the rest needs is tenantOf.
type tenant struct {
	id   string
	Name string

	session string // as the database knows it; of a visitor, not of the business
}

const (
	demoEmail, demoPassword = "demo@example.com", "try it out"
	cookieName, sessionLife = "saas_session", 30 * 24 * time.Hour
)

var (
	errEmail  = errors.New("there is a business with this address already; sign in instead")
	errSignIn = errors.New("address and password do not belong together")
	errShort  = errors.New("a name, an address and a password of 8 to 72 characters are needed")
)

// createTenant creates a business with its one user. It reports a known address, as most products
// do; to keep that secret, send a mail instead. bcrypt reads at most 72 bytes.
func (a *app) createTenant(ctx context.Context, name, email, password string) (*tenant, error) {
	email, name = strings.ToLower(strings.TrimSpace(email)), strings.TrimSpace(name)
	if name == "" || !strings.Contains(email, "@") || len(password) < 8 || len(password) > 72 {
		return nil, errShort
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	t := &tenant{id: rand.Text(), Name: name}
	r, err := a.db.SQL().ExecContext(ctx, `INSERT INTO saas_tenants (id, name, email, password)
		VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING`, t.id, t.Name, email, string(hash))
	if err != nil {
		return nil, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return nil, cmp.Or(err, errEmail)
	}
	return t, nil
}

// enter signs in, or creates a business if there is a name for it.
func (a *app) enter(ctx context.Context, name, email, password string) (*tenant, error) {
	if name != "" {
		return a.createTenant(ctx, name, email, password)
	}
	return a.authenticate(ctx, email, password)
}

// unknownHash is the hash of a password that is thrown away, compared for an unknown address: it
// takes as long as a wrong password, so that the time does not tell which addresses are known.
var unknownHash, _ = bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.DefaultCost)

// authenticate returns the tenant with an address and a password, or errSignIn.
func (a *app) authenticate(ctx context.Context, email, password string) (*tenant, error) {
	t, hash := new(tenant), string(unknownHash)
	err := a.db.SQL().QueryRowContext(ctx, "SELECT id, name, password FROM saas_tenants WHERE email = $1",
		strings.ToLower(strings.TrimSpace(email))).Scan(&t.id, &t.Name, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		return nil, errSignIn
	}
	return t, nil
}

// signIn begins a session. No script reads the cookie and other sites cannot use it; the database
// has only its hash.
func (a *app) signIn(w http.ResponseWriter, r *http.Request, t *tenant) error {
	token, now := rand.Text(), time.Now()
	_, err := a.db.SQL().ExecContext(r.Context(), "DELETE FROM saas_sessions WHERE ends_at < $1", now.Unix())
	if err == nil {
		_, err = a.db.SQL().ExecContext(r.Context(),
			"INSERT INTO saas_sessions (id, tenant, ends_at) VALUES ($1, $2, $3)",
			hashed(token), t.id, now.Add(sessionLife).Unix())
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, a.cookie(token, int(sessionLife.Seconds())))
	return see(w, r, "/", nil)
}

// cookie returns the cookie of a session; a negative age deletes it.
func (a *app) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: it is secure wherever the product is reached by https
		Name: cookieName, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.url, "https:"),
	}
}

// tenantOf returns the signed-in tenant, or errSignIn.
func (a *app) tenantOf(r *http.Request) (*tenant, error) {
	t := new(tenant)
	c, err := r.Cookie(cookieName)
	if err != nil {
		return t, errSignIn
	}
	t.session = hashed(c.Value)
	err = a.db.SQL().QueryRowContext(r.Context(), `SELECT t.id, t.name
		FROM saas_sessions s JOIN saas_tenants t ON t.id = s.tenant WHERE s.id = $1 AND s.ends_at > $2`,
		t.session, time.Now().Unix()).Scan(&t.id, &t.Name)
	if errors.Is(err, sql.ErrNoRows) {
		err = errSignIn
	}
	return t, err
}

// hashed returns an id for a token or a name that does not reveal it.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// serveSignIn shows the page for signing in and for creating a business, and takes its two forms.
func (a *app) serveSignIn(w http.ResponseWriter, r *http.Request) {
	form := struct{ Email, Password, Name, Problem string }{
		Email: r.PostForm.Get("email"), Name: r.PostForm.Get("name"),
	}
	v := view{Page: "signin", Title: "Sign in"}
	if r.Method == http.MethodPost {
		t, err := a.enter(r.Context(), form.Name, form.Email, r.PostForm.Get("password"))
		if err == nil {
			err = a.signIn(w, r, t)
		}
		if err == nil {
			return
		}
		if !errors.Is(err, errEmail) && !errors.Is(err, errSignIn) && !errors.Is(err, errShort) {
			a.fail(w, r, err)
			return
		}
		form.Problem, v.Status = err.Error(), http.StatusUnprocessableEntity
	} else if a.meta.simulator != nil {
		form.Email, form.Password = demoEmail, demoPassword
	}
	v.Data = form
	a.render(w, r, v)
}

// serveSignOut ends the session in the database first, so that a copied cookie is invalid.
func (a *app) serveSignOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		_, err := a.db.SQL().ExecContext(r.Context(), "DELETE FROM saas_sessions WHERE id = $1", hashed(c.Value))
		if err != nil {
			a.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, a.cookie("", -1))
	_ = see(w, r, "/signin", nil)
}
