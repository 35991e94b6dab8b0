package natsinbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stream and subject name a part of the inbox: log, bodies, or snapshots. Subjects of snapshots
// have one more word.
func (s *Store) stream(part string) string  { return s.cfg.Name + "-" + part }
func (s *Store) subject(part string) string { return s.cfg.Name + "." + part }

// makeStreams makes those of the three streams that are not there, and refuses those that are and
// would lose messages. It changes none: Replicas and MaxBytes are those of the first process.
func (s *Store) makeStreams(ctx context.Context) error {
	// The servers of a cluster vote about a new stream, which takes a while if they are busy.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, one := range []struct {
		part, subject, about string
		maxBytes             int64
		stream               *jetstream.Stream
	}{
		// The descriptions are for administrators who look at their server.
		{"log", "log", "What happened to WhatsApp deliveries, in order. Do not delete messages.", -1, &s.logStream},
		{"bodies", "bodies", "Bodies of WhatsApp deliveries that are not handled yet.", s.cfg.MaxBytes, &s.bodyStream},
		{"snapshots", "snapshots.*", "What the log amounts to, for those who start.", -1, &s.snapshotStream},
	} {
		cfg := jetstream.StreamConfig{
			Name: s.stream(one.part), Subjects: []string{s.subject(one.subject)}, Description: one.about,
			Replicas: s.cfg.Replicas,
			Storage:  jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
			MaxBytes: max(one.maxBytes, -1), MaxMsgs: -1, Duplicates: duplicates,
		}
		if cfg.MaxBytes == 0 {
			cfg.MaxBytes = -1
		}
		stream, err := s.js.CreateStream(ctx, cfg)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			stream, err = s.js.Stream(ctx, cfg.Name)
		}
		if err != nil {
			return fmt.Errorf("natsinbox: stream %s: %w", cfg.Name, err)
		}
		if err := checkStream(stream.CachedInfo().Config, cfg.Subjects[0]); err != nil {
			return err
		}
		*one.stream = stream
	}
	return nil
}

// duplicates is how long the server knows the ID of a message that it has stored. It is longer than
// publish tries, so a message is stored once.
const duplicates = 2 * time.Minute

// checkStream refuses a stream with settings under which the server discards or forgets messages
// that it has acknowledged. An administrator may have made it, or changed it later.
func checkStream(c jetstream.StreamConfig, subject string) error {
	wrong := ""
	switch {
	// A restart of the server loses what is in memory.
	case c.Storage != jetstream.FileStorage:
		wrong = "is kept in memory"
	// Acknowledged before it is written, whatever sync_interval says.
	case c.PersistMode == jetstream.AsyncPersistMode:
		wrong = "is written asynchronously (persist_mode)"
	// A full stream must refuse new messages, so that Meta keeps them.
	case c.Discard != jetstream.DiscardNew:
		wrong = "discards old messages when it is full"
	// Every process reads every message; the first one to read it must not take it away.
	case c.Retention != jetstream.LimitsPolicy:
		wrong = "drops messages that were read (retention)"
	// Only what a snapshot has, or what is handled, may go.
	case c.MaxAge != 0 || c.MaxMsgs > 0 || c.MaxMsgsPerSubject > 0:
		wrong = "drops messages by age or number"
	// Without an acknowledgement, nothing is known to be stored.
	case c.NoAck:
		wrong = "does not acknowledge"
	// Messages of other programs would be gaps in the log, or bodies of nothing.
	case len(c.Subjects) != 1 || c.Subjects[0] != subject:
		wrong = "has other subjects"
	// A message that is sent again after a lost answer would be there twice.
	case c.Duplicates < duplicates:
		wrong = "remembers message IDs for less than 2 minutes"
	default:
		return nil
	}
	return fmt.Errorf("%w: the stream %s %s; change that, or choose another Config.Name", ErrNotDurable, c.Name, wrong)
}
