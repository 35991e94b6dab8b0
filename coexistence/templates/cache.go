package templates

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// ErrUnknown says that no account of the number has a template in that language.
var ErrUnknown = errors.New("templates: no account of the number has this template in this language; create it, or " +
	"name its language exactly")

// fresh is how old a list may be that a message is refused by.
const fresh = time.Minute

// Config configures a [Cache]. Store and Client are required.
type Config struct {
	// Store is the store of the tracker, which knows the accounts of a number.
	Store coexistence.Store

	// Client returns the client of a number, as in coexistence.Config.
	Client coexistence.ClientFunc

	// MaxAge is how old a list may be that only webhooks have changed since. If zero, an hour.
	MaxAge time.Duration

	// Marketing has marketing templates go through the Marketing Messages API, with these options.
	// If nil, they go through Cloud API unless Meta refuses that.
	Marketing *cloudapi.MarketingOptions
}

// A Cache knows the templates of accounts. It is a [webhook.Handler], and safe for concurrent use.
type Cache struct {
	cfg Config

	mu       sync.Mutex
	accounts map[graph.WABAID]*account
}

var _ webhook.Handler = (*Cache)(nil)

// An account is the list of an account. mu is held while it is read, so that it is read once.
type account struct {
	mu        sync.Mutex
	readAt    time.Time // zero if it has to be read
	templates map[name]*cloudapi.MessageTemplate
}

// A name is what a message names a template by.
type name struct{ template, language string }

// nameOf spells a language as Meta lists it; its webhooks write en-US as well.
func nameOf(template, language string) name {
	return name{template, strings.ReplaceAll(language, "-", "_")}
}

// New returns a cache. It does no I/O.
func New(cfg Config) (*Cache, error) {
	var errs []error
	if cfg.Store == nil {
		errs = append(errs, errors.New("templates: Config.Store is nil; it is the store of the tracker"))
	}
	if cfg.Client == nil {
		errs = append(errs, errors.New("templates: Config.Client is nil; it is the one of coexistence.Config"))
	}
	if cfg.MaxAge < 0 {
		errs = append(errs, errors.New("templates: Config.MaxAge is negative; zero takes the default"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.MaxAge = cmp.Or(cfg.MaxAge, time.Hour)
	return &Cache{cfg: cfg, accounts: map[graph.WABAID]*account{}}, nil
}

// Find returns a template as it is now, as far as known, or [ErrUnknown]. Other errors are about
// the store, the client or the list. The caller must not change it.
func (c *Cache) Find(
	ctx context.Context, phone graph.PhoneNumberID, template, language string,
) (*cloudapi.MessageTemplate, error) {
	t, err := c.find(ctx, phone, nameOf(template, language), c.cfg.MaxAge)
	if errors.Is(err, ErrUnknown) {
		t, err = c.find(ctx, phone, nameOf(template, language), fresh)
	}
	return t, err
}

// List returns the templates of all accounts of a number as they are now, as far as is known, by
// name and language: approved ones and others. An error is about the store, the client or the list.
// The caller must not change them.
func (c *Cache) List(ctx context.Context, phone graph.PhoneNumberID) ([]*cloudapi.MessageTemplate, error) {
	number, err := c.cfg.Store.Number(ctx, phone)
	if err != nil {
		return nil, err
	}
	var all []*cloudapi.MessageTemplate
	for _, waba := range number.Accounts() {
		list, err := c.account(waba).list(ctx, c.cfg.Client, phone, waba, c.cfg.MaxAge)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortStableFunc(all, func(a, b *cloudapi.MessageTemplate) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Language, b.Language))
	})
	return all, nil
}

// Category returns the latest category of a template, and an empty one for a template that is not
// known: see coexistence.Config.TemplateCategory. A list that cannot be read says nothing.
func (c *Cache) Category(
	ctx context.Context, phone graph.PhoneNumberID, t *cloudapi.Template,
) (graph.TemplateCategory, error) {
	found, err := c.Find(ctx, phone, t.Name, t.Language)
	if err != nil {
		return "", ctx.Err()
	}
	return found.Category, nil
}

// find looks a template up in the accounts of a number, by lists that are not older than maxAge.
func (c *Cache) find(
	ctx context.Context, phone graph.PhoneNumberID, n name, maxAge time.Duration,
) (*cloudapi.MessageTemplate, error) {
	number, err := c.cfg.Store.Number(ctx, phone)
	if err != nil {
		return nil, err
	}
	for _, waba := range number.Accounts() {
		t, err := c.account(waba).find(ctx, c.cfg.Client, phone, waba, n, maxAge)
		if t != nil || err != nil {
			return t, err
		}
	}
	return nil, ErrUnknown
}

func (c *Cache) account(waba graph.WABAID) *account {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accounts[waba] == nil {
		c.accounts[waba] = new(account)
	}
	return c.accounts[waba]
}

// find returns a template, or nil if the account does not have it.
func (a *account) find(
	ctx context.Context, client coexistence.ClientFunc, phone graph.PhoneNumberID, waba graph.WABAID, n name,
	maxAge time.Duration,
) (*cloudapi.MessageTemplate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(ctx, client, phone, waba, maxAge); err != nil {
		return nil, err
	}
	return a.templates[n], nil
}

// list returns all templates of the account, in any order.
func (a *account) list(
	ctx context.Context, client coexistence.ClientFunc, phone graph.PhoneNumberID, waba graph.WABAID,
	maxAge time.Duration,
) ([]*cloudapi.MessageTemplate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(ctx, client, phone, waba, maxAge); err != nil {
		return nil, err
	}
	return slices.Collect(maps.Values(a.templates)), nil
}

// read reads the list if it is older than maxAge. The moment is taken before the call: a webhook
// that arrives meanwhile is later than the list. The caller must hold a.mu.
func (a *account) read(
	ctx context.Context, client coexistence.ClientFunc, phone graph.PhoneNumberID, waba graph.WABAID,
	maxAge time.Duration,
) error {
	now := time.Now()
	if !a.readAt.IsZero() && now.Sub(a.readAt) <= maxAge {
		return nil
	}
	graphClient, err := client(ctx, phone)
	if err != nil {
		return err
	}
	list := map[name]*cloudapi.MessageTemplate{}
	for t, err := range graphClient.Templates.List(ctx, waba, cloudapi.TemplateListOptions{Limit: 100}) {
		if err != nil {
			return err
		}
		list[nameOf(t.Name, t.Language)] = t
	}
	a.readAt, a.templates = now, list
	return nil
}

// Handle implements [webhook.Handler]: it brings lists up to date. Events about accounts whose list
// was not asked for, and those that are older than the list, change nothing.
func (c *Cache) Handle(_ context.Context, ev webhook.Event) error {
	switch ev := ev.(type) {
	case *webhook.MessageTemplateStatusUpdate:
		c.change(ev, ev.Template, func(t *cloudapi.MessageTemplate) bool {
			if ev.Category != "" {
				t.Category = ev.Category
			}
			switch ev.Event {
			case webhook.TemplateReinstated, webhook.TemplateUnarchived:
				t.Status = cloudapi.TemplateApproved
			case webhook.TemplateFlagged, webhook.TemplateLocked:
			default:
				t.Status = cloudapi.TemplateStatus(ev.Event)
			}
			return true
		})
	case *webhook.TemplateCategoryUpdate:
		c.change(ev, ev.Template, func(t *cloudapi.MessageTemplate) bool {
			t.Category = ev.Current()
			return true
		})
	case *webhook.MessageTemplateQualityUpdate:
		c.change(ev, ev.Template, func(t *cloudapi.MessageTemplate) bool {
			t.Quality = ev.New
			return true
		})
	case *webhook.MessageTemplateComponentsUpdate:
		// It does not tell the kind of a header and what buttons take, so the list is read again.
		c.change(ev, ev.Template, func(*cloudapi.MessageTemplate) bool { return false })
	default:
	}
	return nil
}

// change has fn change a copy of a template, because others may read it. A template that is not in
// the list, and one of which fn returns false, has the list read again.
func (c *Cache) change(ev webhook.Event, of webhook.Template, fn func(*cloudapi.MessageTemplate) bool) {
	info := ev.Info()
	c.mu.Lock()
	a := c.accounts[info.WABAID]
	c.mu.Unlock()
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.readAt.IsZero() || !info.At.IsZero() && info.At.Before(a.readAt.Truncate(time.Second)) {
		return
	}
	n := nameOf(of.Name, of.Language)
	t, ok := a.templates[n]
	if !ok || t.ID != of.TemplateID {
		a.readAt = time.Time{}
		return
	}
	changed := *t
	if !fn(&changed) {
		a.readAt = time.Time{}
		return
	}
	a.templates[n] = &changed
}
