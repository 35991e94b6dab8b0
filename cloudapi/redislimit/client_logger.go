package redislimit

import (
	"context"
	"fmt"
	"log/slog"
)

// ClientLogger makes a logger for go-redis of yours: what it reports about its connections comes at
// the level Warn. go-redis has one logger for the whole process, so it is for the host to set:
//
//	redis.SetLogger(redislimit.ClientLogger(logger))
func ClientLogger(logger *slog.Logger) clientLogger { return clientLogger{logger} }

type clientLogger struct{ logger *slog.Logger }

// Printf implements the interface of a logger of go-redis.
func (l clientLogger) Printf(ctx context.Context, format string, args ...any) {
	l.logger.WarnContext(ctx, "redis client", "report", fmt.Sprintf(format, args...))
}
