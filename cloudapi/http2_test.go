package cloudapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// Frame types, flags and codes of RFC 9113, as far as this server needs them.
const (
	h2Data, h2Headers, h2Reset, h2Settings, h2GoAway = 0x0, 0x1, 0x3, 0x4, 0x7
	h2EndStream, h2Ack                               = 0x1, 0x1
	h2NoError, h2ProtocolError, h2Internal           = 0x0, 0x1, 0x2
	h2RefusedStream, h2Cancel, h2EnhanceYourCalm     = 0x7, 0x8, 0xb
)

// An h2Server takes every request whole, as Meta would before it acts, and then treats the stream
// as it is told.
type h2Server struct {
	*httptest.Server
	taken atomic.Int32 // requests that came whole
}

// An h2Writer writes a frame.
type h2Writer func(kind, flags byte, stream uint32, payload []byte)

// An h2Ending is how a stream ends once its request is there.
type h2Ending func(write h2Writer, stream uint32)

// serveHTTP2 speaks HTTP/2 by hand: net/http's own server cannot misbehave enough.
func serveHTTP2(t *testing.T, end h2Ending) *h2Server {
	t.Helper()
	s := new(h2Server)
	s.Server = httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{NextProtos: []string{"h2"}}
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { s.talk(conn, end) },
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *h2Server) talk(conn *tls.Conn, end h2Ending) {
	defer conn.Close()
	write := func(kind, flags byte, stream uint32, payload []byte) {
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
		frame = binary.BigEndian.AppendUint32(append(frame, flags), stream)
		_, _ = conn.Write(append(frame, payload...))
	}
	in := bufio.NewReader(conn)
	if _, err := io.CopyN(io.Discard, in, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	write(h2Settings, 0, 0, nil)
	for {
		var head [9]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, in, length); err != nil {
			return
		}
		kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
		switch {
		case kind == h2Settings && flags&h2Ack == 0:
			write(h2Settings, h2Ack, 0, nil)
		case (kind == h2Headers || kind == h2Data) && flags&h2EndStream != 0:
			s.taken.Add(1)
			end(write, stream)
		}
	}
}

// reset ends a stream with a code.
func reset(code uint32) h2Ending {
	return func(write h2Writer, stream uint32) {
		write(h2Reset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
	}
}

// goAway ends a connection and says which stream was the last one that may have been worked on.
func goAway(code uint32, last func(stream uint32) uint32) h2Ending {
	return func(write h2Writer, stream uint32) {
		payload := binary.BigEndian.AppendUint32(nil, last(stream))
		write(h2GoAway, 0, 0, binary.BigEndian.AppendUint32(payload, code))
	}
}

// withContext returns a context that the ending cancels, at once when a second request comes, and
// if the call waits, half a second after the first. A call whose stream still counts waits for its
// answer on a connection that goes away, so only its context ends it; until then it has time to be
// repeated. The clock starts at the server: before that, a machine under load can take any time to
// connect, and a call that ends then was never sent.
func (end h2Ending) withContext(ctx context.Context, waits bool) (h2Ending, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var came atomic.Int32
	return func(write h2Writer, stream uint32) {
		end(write, stream)
		switch first := came.Add(1) == 1; {
		case !first:
			cancel() // the test has failed, and net/http would go on for a minute
		case waits:
			time.AfterFunc(500*time.Millisecond, cancel)
		}
	}, ctx
}

// Over HTTP/2, net/http repeats a request by itself, body and all, when the server resets its
// stream with some codes. One of them, PROTOCOL_ERROR, says nothing about what became of the
// request: a gateway sends it when the answer of the machine behind it does not please it, after
// the message was accepted.
func TestNothingIsRepeatedOnAConnectionOfHTTP2(t *testing.T) {
	t.Parallel()
	this := func(stream uint32) uint32 { return stream }
	none := func(uint32) uint32 { return 0 }
	endings := map[string]struct {
		end   h2Ending
		waits bool // for an answer, as long as its context lives
	}{
		"PROTOCOL_ERROR":    {end: reset(h2ProtocolError)},
		"INTERNAL_ERROR":    {end: reset(h2Internal)},
		"CANCEL":            {end: reset(h2Cancel)},
		"REFUSED_STREAM":    {end: reset(h2RefusedStream)}, // known to be refused, but not from PROTOCOL_ERROR
		"NO_ERROR":          {end: reset(h2NoError)},
		"ENHANCE_YOUR_CALM": {end: reset(h2EnhanceYourCalm)},
		"GOAWAY, left":      {end: goAway(h2NoError, none)},
		"GOAWAY, worked on": {end: goAway(h2NoError, this), waits: true},
		"GOAWAY, in anger":  {end: goAway(h2EnhanceYourCalm, this), waits: true},
	}
	for ending, tt := range endings {
		for _, name := range []string{
			"Messages.Send", "Messages.SendMarketing", "Calls.Connect",
			"Phones.SyncAppData", "OAuth.Exchange", "Registration.Register",
		} {
			t.Run(ending+"/"+name, func(t *testing.T) {
				t.Parallel()
				end, ctx := tt.end.withContext(t.Context(), tt.waits)
				srv := serveHTTP2(t, end)
				client := newClient(t, http2Config(srv))
				err := calls()[name](ctx, client)
				require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome, "%v", err)
				if !tt.waits {
					require.NotErrorIs(t, err, context.Canceled, "the caller canceled nothing")
				}
				require.EqualValues(t, 1, srv.taken.Load(), "%v", err)
			})
		}
	}
}

func http2Config(srv *h2Server) cloudapi.Config {
	hc := srv.Client()
	hc.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	return cloudapi.Config{
		AppID: appID, AppSecret: appSecret, AccessToken: token, BaseURL: srv.URL, HTTPClient: hc,
		Limiter: cloudapi.Unlimited,
		Retry:   cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond},
	}
}

// Reads may be repeated, by the client and by net/http.
func TestReadsAreRepeatedOverHTTP2(t *testing.T) {
	t.Parallel()
	srv := serveHTTP2(t, reset(h2Internal))
	client := newClient(t, http2Config(srv))
	require.Error(t, calls()["Phones.Get"](t.Context(), client))
	require.EqualValues(t, 4, srv.taken.Load())
}

// Most hosts wrap their transport, for traces for instance. The transport inside repeats a GET by
// itself when a connection that was used before breaks.
func TestOneShotCallsAreNotRepeatedInsideAWrappedTransport(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"OAuth.Exchange", "Phones.SyncAppData"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, `{"request_id":"A1","access_token":"EAAnew-0123456789"}`), drop)
			inner := &http.Transport{}
			t.Cleanup(inner.CloseIdleConnections)
			client := srv.client(t, func(cfg *cloudapi.Config) {
				cfg.HTTPClient = &http.Client{Transport: roundTripper(inner.RoundTrip)}
			})
			require.NoError(t, calls()[name](t.Context(), client))
			err := calls()[name](t.Context(), client)
			require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
			got := srv.seen()
			require.Len(t, got, 2)
			require.Len(t, srv.conns, 1, "the second call did not meet a used connection")
			for _, r := range got {
				require.Empty(t, r.header.Get("Transfer-Encoding"))
				if r.method == http.MethodGet {
					require.Empty(t, r.header.Get("Content-Length"))
					require.Empty(t, r.body)
				}
			}
		})
	}
}
