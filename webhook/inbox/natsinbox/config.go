package natsinbox

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// Config names the servers of the inbox. URLs is required.
type Config struct {
	// URLs are those of one or more servers of a cluster: nats://user:password@host:4222.
	URLs []string

	// Options are further options of the connection: credentials, TLS.
	Options []nats.Option

	// Monitors are the URLs of the servers' monitoring ports, like http://host:8222. They are asked
	// whether the server writes to its disk before it acknowledges. Name those of all servers of a
	// cluster. If empty, and if SystemConn is nil, port 8222 of the hosts in URLs is tried.
	Monitors []string

	// SystemConn is a connection of a user of the system account. It can take the place of
	// Monitors: the servers are asked through it.
	SystemConn *nats.Conn

	// Name begins the names of the streams and subjects, for letters, digits, - and _. Processes
	// with the same name share an inbox. If empty, webhook.
	Name string

	// Replicas is how many servers of a cluster keep each stream: 1, 3 or 5. It counts when the
	// streams are made; later, change it with the nats command. If zero, 1.
	Replicas int

	// MaxBytes limits the bodies that are kept. Beyond, deliveries are refused with
	// [inbox.ErrFull], and Meta keeps them. It counts when the streams are made. If zero, the
	// limits of the account and of the disk count.
	MaxBytes int64
}

// ParseURL reads a Config from one line, for environment variables: the URLs, separated by commas,
// and behind a question mark any of monitor (several are possible), name, replicas and max_bytes.
// Credentials are part of a URL; what else a connection needs is in [Config].Options.
//
//	nats://nats:4222?monitor=http://nats:8222
//	nats://a:4222,nats://b:4222,nats://c:4222?monitor=http://a:8222&monitor=http://b:8222&monitor=http://c:8222&replicas=3
func ParseURL(line string) (Config, error) {
	servers, query, _ := strings.Cut(line, "?")
	cfg := Config{URLs: strings.Split(servers, ",")}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Config{}, errBadURL
	}
	for name, list := range values {
		switch name { // an unknown one is an error: it may be a setting that is misspelt
		case "monitor":
			cfg.Monitors = list
		case "name":
			cfg.Name = list[0]
		case "replicas":
			cfg.Replicas, err = strconv.Atoi(list[0])
		case "max_bytes":
			cfg.MaxBytes, err = strconv.ParseInt(list[0], 10, 64)
		default:
			err = errBadURL
		}
		if err != nil {
			return Config{}, fmt.Errorf(
				"natsinbox: the URL's parameter %s is not one of monitor, name, replicas, max_bytes, or has no "+
					"such value",
				name,
			)
		}
	}
	return cfg, cfg.validate()
}

// errBadURL quotes nothing, because a URL can hold a password.
var errBadURL = errors.New(
	"natsinbox: this is not a URL of a server; write nats://user:password@host:4222?monitor=http://host:8222",
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

// validate reports all mistakes at once. Its errors quote no URL, which can hold a password.
func (c Config) validate() error {
	var errs []error
	if len(c.URLs) == 0 {
		errs = append(errs, errors.New("natsinbox: Config.URLs is empty; name a server, such as nats://host:4222"))
	}
	for _, server := range c.URLs {
		if u, err := url.Parse(strings.TrimSpace(server)); err != nil || u.Host == "" {
			errs = append(errs, errBadURL)
		}
	}
	for _, m := range c.Monitors {
		if u, err := url.Parse(m); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			errs = append(
				errs, errors.New("natsinbox: Config.Monitors holds something other than URLs like http://host:8222"),
			)
		}
	}
	if !validName.MatchString(c.Name) {
		errs = append(errs, errors.New("natsinbox: Config.Name holds more than letters, digits, - and _"))
	}
	if c.Replicas < 0 || c.Replicas > 5 {
		errs = append(errs, errors.New("natsinbox: Config.Replicas is not between 1 and 5; use 0 for the default"))
	}
	if c.MaxBytes < 0 {
		errs = append(errs, errors.New("natsinbox: Config.MaxBytes is negative; use 0 for the default"))
	}
	return errors.Join(errs...)
}

// withDefaults replaces zero values by what the comments of the fields say.
func (c Config) withDefaults() Config {
	c.Name = cmp.Or(c.Name, "webhook")
	c.Replicas = cmp.Or(c.Replicas, 1)
	if len(c.Monitors) == 0 && c.SystemConn == nil {
		for _, server := range c.URLs {
			if u, err := url.Parse(strings.TrimSpace(server)); err == nil {
				c.Monitors = append(c.Monitors, "http://"+u.Hostname()+":8222")
			}
		}
	}
	return c
}
