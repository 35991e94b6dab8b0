package coexistence

import (
	"context"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// answerPauses are the pauses before each further try to store an answer, and answerTime is how
// long all tries may take. A connection that was cut is another one in the next try; a database
// that changes its primary needs seconds.
var answerPauses = []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second}

const answerTime = 30 * time.Second

// storeAnswer changes a number's state with several tries, because a call whose answer is not
// stored counts as unknown forever. For the same reason the end of ctx, with which a caller goes,
// ends none of them: they have a time of their own. A try that fails may have been stored, so
// change is idempotent.
func (t *Tracker) storeAnswer(
	ctx context.Context, phone graph.PhoneNumberID, change func(Number) (Number, error),
) (st Number, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	for try := 0; ; try++ {
		st, err = t.cfg.Store.UpdateNumber(ctx, phone, change)
		if err == nil || try == len(answerPauses) {
			return st, err
		}
		select {
		case <-ctx.Done():
			return Number{}, err
		case <-time.After(answerPauses[try]):
		}
	}
}
