package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
)

// A tenant is a business that uses the product, with one person who signs in. Put your own sign-in here: what the rest needs is tenantOf.
type tenant struct {
	id   string
	Name string
}

const (
	demoEmail, demoPassword = "demo@example.com", "try it out"

	cookieName   = "saas_session"
	sessionLife  = 30 * 24 * time.Hour
	passwordWork = 600_000 // rounds of PBKDF2-HMAC-SHA-256, as OWASP has it in 2026
)

var (
	errNotFound = errors.New("there is no such page, or it is not yours")
	errEmail    = errors.New("there is a business with this address already; sign in instead")
	errSignIn   = errors.New("address and password do not belong together")
	errShort    = errors.New("a name, an address and a password of at least 8 characters are needed")
)

// createTenant stores a business.
func (a *app) createTenant(ctx context.Context, name, email, password string) (*tenant, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if name = strings.TrimSpace(name); name == "" || !strings.Contains(email, "@") || len(password) < 8 {
		return nil, errShort
	}
	salt := random(16)
	hash, err := pbkdf2.Key(sha256.New, password, salt, passwordWork, 32)
	if err != nil {
		return nil, err
	}
	t := &tenant{rand.Text(), name}
	n, err := a.db.exec(ctx, `INSERT INTO saas_tenants (id, name, email, password, created_at) VALUES ($1, $2, $3, $4, {now})
		ON CONFLICT (email) DO NOTHING`, t.id, t.Name, email, base64.StdEncoding.EncodeToString(append(salt, hash...)))
	if err == nil && n == 0 {
		err = errEmail
	}
	return t, err
}

// authenticate finds the tenant of an address and its password. An unknown address takes as long as a wrong password.
func (a *app) authenticate(ctx context.Context, email, password string) (*tenant, error) {
	var t tenant
	var stored string
	err := a.db.one(ctx, "SELECT id, name, password FROM saas_tenants WHERE email = $1", []any{strings.ToLower(strings.TrimSpace(email))}, &t.id, &t.Name, &stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	b, _ := base64.StdEncoding.DecodeString(stored)
	if len(b) != 48 {
		b = make([]byte, 48)
	}
	hash, err := pbkdf2.Key(sha256.New, password, b[:16], passwordWork, 32)
	if err != nil || subtle.ConstantTimeCompare(hash, b[16:]) != 1 {
		return nil, errSignIn
	}
	return &t, nil
}

// signIn begins a session. The cookie is for this browser alone, no script reads it, and other sites cannot use it; the database has
// only its hash.
func (a *app) signIn(w http.ResponseWriter, r *http.Request, t *tenant) error {
	token := rand.Text()
	if _, err := a.db.exec(r.Context(), "DELETE FROM saas_sessions WHERE ends_at < {now}"); err != nil {
		return err
	}
	_, err := a.db.exec(r.Context(), "INSERT INTO saas_sessions (id, tenant, ends_at) VALUES ($1, $2, {now} + $3)", hashed(token), t.id, sessionLife.Milliseconds())
	if err != nil {
		return err
	}
	http.SetCookie(w, a.cookie(token, int(sessionLife.Seconds())))
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (a *app) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.url, "https:"),
	}
}

// tenantOf returns who is signed in.
func (a *app) tenantOf(r *http.Request) (*tenant, error) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil, errSignIn
	}
	var t tenant
	err = a.db.one(r.Context(), `SELECT t.id, t.name FROM saas_sessions s JOIN saas_tenants t ON t.id = s.tenant WHERE s.id = $1 AND s.ends_at > {now}`,
		[]any{hashed(c.Value)}, &t.id, &t.Name)
	if errors.Is(err, sql.ErrNoRows) {
		err = errSignIn
	}
	return &t, err
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// serveSignIn shows the page for signing in and for creating a business, and takes its two forms.
func (a *app) serveSignIn(w http.ResponseWriter, r *http.Request) {
	page := struct {
		Email, Password, Name, Problem string
	}{Email: r.PostFormValue("email"), Name: r.PostFormValue("name")}
	if r.Method == http.MethodPost {
		var t *tenant
		var err error
		if r.URL.Path == "/businesses" {
			t, err = a.createTenant(r.Context(), page.Name, page.Email, r.PostFormValue("password"))
		} else {
			t, err = a.authenticate(r.Context(), page.Email, r.PostFormValue("password"))
		}
		if err == nil {
			err = a.signIn(w, r, t)
		}
		switch {
		case err == nil:
			return
		case errors.Is(err, errEmail), errors.Is(err, errSignIn), errors.Is(err, errShort):
			page.Problem = err.Error()
			w.WriteHeader(http.StatusUnprocessableEntity)
		default:
			a.fail(w, r, err)
			return
		}
	} else if a.meta.simulator != nil {
		page.Email, page.Password = demoEmail, demoPassword
	}
	a.render(w, r, view{Page: "signin", Title: "Sign in", Data: page})
}

func (a *app) serveSignOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		if _, err := a.db.exec(r.Context(), "DELETE FROM saas_sessions WHERE id = $1", hashed(c.Value)); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, a.cookie("", -1))
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}
