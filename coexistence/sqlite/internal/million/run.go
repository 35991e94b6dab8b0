//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A sample is what a stretch of the import cost: microseconds for each message on the clock and on
// the processor, and at its end the live heap, the memory of the process, and the size of the
// database, in megabytes.
type sample struct {
	messages        int
	wall, cpu       float64
	heap, rss, file float64
}

// secret signs the POSTs, since verification is part of the cost.
const secret = "made-up-app-secret" //nolint:gosec // it protects nothing

// stretch is how many messages a sample covers that begins with so many: about as many samples for
// each power of ten, and three chunks at least, so that one slow POST does not make a peak.
func stretch(done, chunk int) int { return max(3*chunk, done/10) }

// run imports messages and returns the samples, which each gets as they are taken. The database is
// a temporary one unless path names it. POSTs are made one after the other, so what is measured is
// the cost of a message and not how many processors there are.
func run(ctx context.Context, messages, chunk int, path string, each func(sample)) (samples []sample, err error) {
	if path == "" {
		dir, err := os.MkdirTemp("", "million")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		path = filepath.Join(dir, "coexistence.db")
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := db.Store()
	url, closeHost, err := host(store)
	if err != nil {
		return nil, err
	}
	defer closeHost()

	// A sample ends with the chunk that completes its stretch, and the last one with the import.
	h := newHistory(messages, chunk)
	var done int
	last := sample{}
	began, cpu := time.Now(), processor()
	for done < messages {
		body, n := h.next(done)
		if err := post(ctx, url, body); err != nil {
			return nil, err
		}
		done += n
		if done-last.messages < stretch(last.messages, chunk) && done < messages {
			continue
		}
		s := sample{messages: done}
		fresh := float64(done - last.messages)
		s.wall = float64(time.Since(began).Microseconds()) / fresh
		s.cpu = float64((processor() - cpu).Microseconds()) / fresh
		s.heap, s.rss, s.file = heap(), resident(), size(path)
		each(s)
		samples, last = append(samples, s), s
		// What taking the sample has cost is not charged to the next one.
		began, cpu = time.Now(), processor()
	}
	return samples, verify(ctx, store, messages)
}

// host is what a SaaS runs: the endpoint, and a tracker over the store. Events are handled before
// the answer, without an inbox, so the time of a POST is all that its messages cost.
func host(store coexistence.Store) (url string, closeHost func(), err error) {
	tracker, err1 := coexistence.NewTracker(coexistence.Config{Store: store})
	if err1 != nil {
		return "", nil, err1
	}
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: secret, VerifyToken: "made-up"},
		webhook.Dispatch(tracker))
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: endpoint, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}

// post makes one signed POST, as Meta does. Anything but 200 fails the run.
func post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", webhook.Sign(secret, body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the endpoint answered %d", resp.StatusCode)
	}
	return nil
}

// verify counts what is in the conversations, and looks at the state of the sync: an import that
// lost something would be fast.
func verify(ctx context.Context, store coexistence.Store, messages int) error {
	stored := 0
	for c, err := range store.Conversations(ctx, graph.PhoneNumberID(number)) {
		if err != nil {
			return err
		}
		stored += c.MessageCount
	}
	st, err := store.Number(ctx, graph.PhoneNumberID(number))
	switch {
	case err != nil:
		return err
	case stored != messages:
		return fmt.Errorf("%d of %d messages are in the conversations", stored, messages)
	case st.History.Unreadable() > 0 || st.History.Progress != 100 || len(st.History.Gaps()) > 0:
		return fmt.Errorf("the state says %d unreadable, %d %%, gaps %v", st.History.Unreadable(), st.History.Progress,
			st.History.Gaps())
	}
	return nil
}

// processor is the time that this process has had on a processor, with that of the kernel on its
// behalf. 0 if it cannot be told.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const megabyte = 1 << 20

// heap is what is alive after a collection, in megabytes.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / megabyte
}

// resident is the memory of the process in megabytes, 0 where the system does not tell.
func resident() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, _ := strconv.ParseFloat(strings.TrimSpace(strings.SplitN(after, "kB", 2)[0]), 64)
	return kilobytes / 1024
}

// size is that of the database's files, in megabytes. The write-ahead log is part of it.
func size(path string) float64 {
	var n int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			n += info.Size()
		}
	}
	return float64(n) / megabyte
}
