package inboxtest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
)

// A store that breaks one promise. Fields that are nil keep theirs.
type liar struct {
	*inbox.MemStore
	appending func([]inbox.Record)
	claiming  func(*inbox.ClaimRequest)
	claimed   func(*inbox.Batch)
	settling  func([]inbox.Settlement)
	settled   func(error) error
	extending func(*time.Duration)
	replaying func([]inbox.ID) []inbox.ID
	purging   func([]inbox.ID) []inbox.ID
	listing   func(f *inbox.Filter, after *inbox.ID, limit *int)
	counted   func(*inbox.Stats)
	sweeping  func(*time.Duration)
	asking    func(ctx context.Context, s *inbox.MemStore, req inbox.ClaimRequest) (inbox.Batch, error)
	patient   bool // ignores that contexts end
}

func (s *liar) ctx(ctx context.Context) context.Context {
	if s.patient {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (s *liar) Append(ctx context.Context, recs []inbox.Record) (int, error) {
	recs = slices.Clone(recs)
	if s.appending != nil {
		s.appending(recs)
	}
	return s.MemStore.Append(s.ctx(ctx), recs)
}

func (s *liar) Claim(ctx context.Context, req inbox.ClaimRequest) (inbox.Batch, error) {
	if s.claiming != nil {
		s.claiming(&req)
	}
	claim := s.asking
	if claim == nil {
		claim = func(ctx context.Context, s *inbox.MemStore, req inbox.ClaimRequest) (inbox.Batch, error) {
			return s.Claim(ctx, req)
		}
	}
	b, err := claim(s.ctx(ctx), s.MemStore, req)
	if s.claimed != nil {
		s.claimed(&b)
	}
	return b, err
}

func (s *liar) Settle(ctx context.Context, token inbox.LeaseToken, outs []inbox.Settlement) error {
	outs = slices.Clone(outs)
	if s.settling != nil {
		s.settling(outs)
	}
	err := s.MemStore.Settle(s.ctx(ctx), token, outs)
	if s.settled != nil {
		return s.settled(err)
	}
	return err
}

func (s *liar) Extend(ctx context.Context, token inbox.LeaseToken, lease time.Duration) error {
	if s.extending != nil {
		s.extending(&lease)
	}
	return s.MemStore.Extend(ctx, token, lease)
}

func (s *liar) ReplayDeadLetters(ctx context.Context, ids []inbox.ID) (int, error) {
	if s.replaying != nil {
		ids = s.replaying(ids)
	}
	return s.MemStore.ReplayDeadLetters(ctx, ids)
}

func (s *liar) DeleteDeadLetters(ctx context.Context, ids []inbox.ID) (int, error) {
	if s.purging != nil {
		ids = s.purging(ids)
	}
	return s.MemStore.DeleteDeadLetters(ctx, ids)
}

func (s *liar) DeadLetters(ctx context.Context, f inbox.Filter, after inbox.ID, limit int) ([]inbox.DeadLetter, error) {
	if s.listing != nil {
		s.listing(&f, &after, &limit)
	}
	return s.MemStore.DeadLetters(ctx, f, after, limit)
}

func (s *liar) Stats(ctx context.Context) (inbox.Stats, error) {
	st, err := s.MemStore.Stats(ctx)
	if s.counted != nil {
		s.counted(&st)
	}
	return st, err
}

func (s *liar) DeleteExpired(ctx context.Context, keep time.Duration) (int, error) {
	if s.sweeping != nil {
		s.sweeping(&keep)
	}
	return s.MemStore.DeleteExpired(ctx, keep)
}

// events changes the events of every outcome.
func events(change func(*inbox.Record)) func([]inbox.Settlement) {
	return func(outs []inbox.Settlement) {
		for i := range outs {
			outs[i].Events = slices.Clone(outs[i].Events)
			for j := range outs[i].Events {
				change(&outs[i].Events[j])
			}
		}
	}
}

func records(change func(*inbox.Record)) func(*inbox.Batch) {
	return func(b *inbox.Batch) {
		for i := range b.Records {
			change(&b.Records[i])
		}
	}
}

func TestEachBrokenPromiseIsNoticed(t *testing.T) {
	t.Parallel()
	each := func(change func(*inbox.Settlement)) func([]inbox.Settlement) {
		return func(outs []inbox.Settlement) {
			for i := range outs {
				change(&outs[i])
			}
		}
	}
	none := func([]inbox.ID) []inbox.ID { return nil }
	tests := map[string]*liar{
		"stores repeats of deliveries": {appending: func(recs []inbox.Record) {
			for i := range recs {
				recs[i].DedupKey = ""
			}
		}},
		"mixes up live and bulk": {appending: func(recs []inbox.Record) {
			for i := range recs {
				recs[i].Backfill = false
			}
		}},
		"stores repeats of events":      {settling: events(func(r *inbox.Record) { r.DedupKey = "" })},
		"keeps placeholders":            {settling: events(func(r *inbox.Record) { r.SupersededBy = "" })},
		"puts all events into one lane": {settling: events(func(r *inbox.Record) { r.Lane = "x" })},
		"puts events into many lanes":   {settling: events(func(r *inbox.Record) { r.Lane += r.DedupKey })},
		"forgets which event it is":     {settling: events(func(r *inbox.Record) { r.Index = 0 })},
		"makes history live":            {settling: events(func(r *inbox.Record) { r.Backfill = false })},
		"forgets deliveries":            {settling: each(func(o *inbox.Settlement) { o.DropKey = true })},
		"never forgets deliveries":      {settling: each(func(o *inbox.Settlement) { o.DropKey = false })},
		"knows no pause":                {settling: each(func(o *inbox.Settlement) { o.RetryAfter = 0 })},
		"counts releases": {settling: each(func(o *inbox.Settlement) {
			o.Disposition = map[inbox.Disposition]inbox.Disposition{
				inbox.DispositionRelease: inbox.DispositionRetry, inbox.DispositionRetry: inbox.DispositionRetry,
				inbox.DispositionDead: inbox.DispositionDead,
			}[o.Disposition]
		})},
		"throws the dead away": {settling: each(func(o *inbox.Settlement) {
			o.Disposition = map[inbox.Disposition]inbox.Disposition{
				inbox.DispositionRelease: inbox.DispositionRelease, inbox.DispositionRetry: inbox.DispositionRetry,
			}[o.Disposition]
		})},
		"forgets reasons":                 {settling: each(func(o *inbox.Settlement) { o.Reason = "" })},
		"has no fence":                    {settled: func(err error) error { return nil }},
		"fences everybody":                {settled: func(err error) error { return inbox.ErrLeaseLost }},
		"forgets numbers of events":       {settling: events(func(r *inbox.Record) { r.PhoneNumberID = "" })},
		"hands events out without number": {claimed: records(func(r *inbox.Record) { r.PhoneNumberID = "" })},
		"lists the dead of all numbers": {listing: func(f *inbox.Filter, _ *inbox.ID, _ *int) {
			*f = inbox.Filter{}
		}},
		"loses bodies":                {claimed: records(func(r *inbox.Record) { r.Body = nil })},
		"counts no attempts":          {claimed: records(func(r *inbox.Record) { r.Attempts = 0 })},
		"loses the time":              {claimed: records(func(r *inbox.Record) { r.ReceivedAt = time.Now() })},
		"turns batches around":        {claimed: func(b *inbox.Batch) { slices.Reverse(b.Records) }},
		"has one token for all":       {claimed: func(b *inbox.Batch) { b.LeaseToken = "1" }},
		"has leases without end":      {claiming: func(req *inbox.ClaimRequest) { req.LeaseDuration = time.Hour }},
		"has leases that end at once": {claiming: func(req *inbox.ClaimRequest) { req.LeaseDuration = 0 }},
		"ignores MaxBytes":            {claiming: func(req *inbox.ClaimRequest) { req.MaxBytes = 0 }},
		"ignores PerLane":             {claiming: func(req *inbox.ClaimRequest) { req.PerLane = 1000 }},
		"ignores Lanes":               {claiming: func(req *inbox.ClaimRequest) { req.Lanes = 1000 }},
		"does not extend":             {extending: func(d *time.Duration) { *d = 0 }},
		"replays nothing":             {replaying: none},
		"purges nothing":              {purging: none},
		"lists from the beginning":    {listing: func(_ *inbox.Filter, after *inbox.ID, _ *int) { *after = 0 }},
		"lists without end":           {listing: func(_ *inbox.Filter, _ *inbox.ID, limit *int) { *limit = 1000 }},
		"counts wrong":                {counted: func(st *inbox.Stats) { st.Live++ }},
		"knows no age":                {counted: func(st *inbox.Stats) { st.Oldest = 0 }},
		"sweeps everything":           {sweeping: func(keep *time.Duration) { *keep = -time.Hour }},
		"ignores that contexts end":   {patient: true},
	}
	for name, l := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, findLie(t, l))
		})
	}
}

// findLie runs the checks, in virtual time, over a store that breaks a promise. Some lies make a
// check wait for what never comes, so there is a limit, in which an honest store is done.
func findLie(t *testing.T, l *liar) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		err = inboxtest.TestStore(ctx, inboxtest.Engine{
			New: func(context.Context) (inboxtest.Storage, error) {
				s := *l
				s.MemStore = new(inbox.MemStore)
				return inboxtest.Storage{
					Open:  func(context.Context) (inbox.Store, error) { return &s, nil },
					Close: func() error { return nil },
				}, nil
			},
		})
	})
	return err
}

func TestAnHonestStoreBreaksNoPromise(t *testing.T) {
	t.Parallel()
	require.NoError(t, findLie(t, new(liar)))
}

// What these do wrong is noticed by the check that is there for it, and not by accident elsewhere.
func TestBrokenPromisesAboutTurnsAndAbandonedLanesAreNoticed(t *testing.T) {
	t.Parallel()
	const (
		once      = "an abandoned lane goes behind what is ready"
		cleared   = "a settlement ends the count"
		twice     = "a lane that was abandoned twice is in quarantine"
		pauses    = "a lane in quarantine pauses longer each time"
		delivered = "deliveries that were abandoned come one at a time"
	)
	var mu sync.Mutex          // checks claim from several goroutines
	counts := map[string]int{} // of the lie that counts for itself
	tests := map[string]struct {
		liar  *liar
		check string
	}{
		"counts nothing": {&liar{claimed: records(func(r *inbox.Record) { r.Abandoned = 0 })}, once},
		"counts no deliveries": {&liar{claimed: records(func(r *inbox.Record) {
			if r.Kind == inbox.KindDelivery {
				r.Abandoned = 0
			}
		})}, delivered},
		"counts each claim": {&liar{claimed: records(func(r *inbox.Record) {
			mu.Lock()
			defer mu.Unlock()
			if counts[r.Lane]++; r.Kind == inbox.KindEvent {
				r.Abandoned = counts[r.Lane] - 1
			}
		})}, cleared},
		"hides quarantine":  {&liar{claimed: func(b *inbox.Batch) { b.Quarantined = false }}, twice},
		"sees quarantine":   {&liar{claimed: func(b *inbox.Batch) { b.Quarantined = true }}, twice},
		"has no quarantine": {&liar{claiming: func(req *inbox.ClaimRequest) { req.Quarantine = false }}, twice},
		"has quarantine alone": {
			&liar{claiming: func(req *inbox.ClaimRequest) { req.Quarantine = true }}, "events come",
		},
		"hands out quarantine to everybody": {&liar{asking: func(
			ctx context.Context, s *inbox.MemStore, req inbox.ClaimRequest,
		) (inbox.Batch, error) {
			b, err := s.Claim(ctx, req)
			if b.Quarantined && len(b.Records) == 0 {
				req.Quarantine = true
				return s.Claim(ctx, req)
			}
			return b, err
		}}, twice},
		"announces quarantine during the pause": {&liar{asking: func(
			ctx context.Context, s *inbox.MemStore, req inbox.ClaimRequest,
		) (inbox.Batch, error) {
			b, err := s.Claim(ctx, req)
			pausing := len(b.Records) == 0 && b.Wait > 100*time.Millisecond && b.Wait < 2*time.Second
			b.Quarantined = b.Quarantined || pausing
			return b, err
		}}, pauses},
		"takes a release for an attempt": {&liar{settling: func(outs []inbox.Settlement) {
			for i := range outs {
				if outs[i].Disposition == inbox.DispositionRelease {
					outs[i].Disposition = inbox.DispositionRetry
				}
			}
		}}, once},
		"takes everything for a status": {
			&liar{settling: events(func(r *inbox.Record) { r.Status = true })}, "messages of",
		},
		"takes everything for a message": {
			&liar{settling: events(func(r *inbox.Record) { r.Status = false })}, "messages of",
		},
		"has one number for all": {&liar{
			settling: events(func(r *inbox.Record) { r.PhoneNumberID = "" }),
			claimed: records(func(r *inbox.Record) {
				r.PhoneNumberID = map[byte]graph.PhoneNumberID{
					'a': "106540352242921", 'b': "106540352242922", 'c': "106540352242923",
				}[(r.Lane + " ")[0]]
			}),
		}, "numbers take turns"},
		"ignores Except": {&liar{claiming: func(req *inbox.ClaimRequest) { req.Except = nil }}, "a claim leaves out"},
		"excepts too much": {&liar{claiming: func(req *inbox.ClaimRequest) {
			if len(req.Except) > 0 {
				req.Except = append(req.Except, "")
			}
		}}, "a claim leaves out"},
		"gives statuses nothing": {&liar{asking: func(
			ctx context.Context, s *inbox.MemStore, req inbox.ClaimRequest,
		) (inbox.Batch, error) {
			if req.Kind != inbox.KindEvent || req.Lanes != 16 {
				return s.Claim(ctx, req)
			}
			req.Lanes = 7
			b, err := s.Claim(ctx, req)
			more := make([]inbox.Record, 9)
			for i := range more {
				more[i] = b.Records[0]
			}
			b.Records = append(b.Records, more...)
			return b, err
		}}, "an eighth"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, findLie(t, tt.liar), "inboxtest: "+tt.check)
		})
	}
}

func TestAnErrorOfTheEngineIsReported(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	err := inboxtest.TestStore(t.Context(), inboxtest.Engine{
		New: func(context.Context) (inboxtest.Storage, error) { return inboxtest.Storage{}, down },
	})
	require.ErrorIs(t, err, down)
}
