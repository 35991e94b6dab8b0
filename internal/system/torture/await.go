package main

import (
	"context"
	"fmt"
	"time"
)

// waitTimeout is how long a wait goes on without any change in what it looks at. It is for machines
// on which a process may not run for many seconds; a wait that ends by it says what was missing.
const waitTimeout = 2 * time.Minute

// await polls until the awaited state is reached. If the state has not changed for waitTimeout, it
// returns an error that says what is missing and what there is instead.
func await(
	ctx context.Context, every time.Duration, what string,
	look func(context.Context) (found string, done bool, err error),
) error {
	last, changed := "", time.Now()
	for {
		// A look that gets no answer has an end as well: its error says what was waited for.
		asking, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
		found, done, err := look(asking)
		cancel()
		switch {
		case err != nil:
			return fmt.Errorf("waiting for %s: %w", what, err)
		case done:
			return nil
		case found != last:
			last, changed = found, time.Now()
		case time.Since(changed) > waitTimeout:
			return fmt.Errorf("%w: waiting for %s; there is: %s", errNoChange, what, found)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; there is: %s", what, context.Cause(ctx), found)
		case <-time.After(every):
		}
	}
}

var errNoChange = fmt.Errorf("nothing has changed for %v", waitTimeout)

// mustEnd waits for the end of a process that was killed. Nothing can be done about one that stays.
func mustEnd(what string, ended <-chan struct{}) {
	select {
	case <-ended:
	case <-time.After(waitTimeout):
		panic(what + " was killed and has not ended")
	}
}
