package cloudapitest

import "slices"

// KeepLast limits what the server remembers of the past to the latest n accepted messages, read
// receipts and logged requests each, for a server that runs for days: what is older is forgotten by
// [Server.Sent], [Server.Reads], [Server.Requests] and [Server.Count]. A little more may be kept
// for a while. Zero, as at the beginning, keeps everything.
func (s *Server) KeepLast(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepLast = n
	s.forget()
}

// forget drops what is older than [Server.KeepLast] allows. The caller must hold s.mu.
func (s *Server) forget() {
	if s.keepLast <= 0 {
		return
	}
	s.sentBefore += len(s.sent)
	s.sent = latest(s.sent, s.keepLast)
	s.sentBefore -= len(s.sent)
	s.reads, s.requests = latest(s.reads, s.keepLast), latest(s.requests, s.keepLast)
}

// latest returns the last n of a list in memory of their own, once there are a quarter more: so
// each entry is copied a few times at most.
func latest[T any](list []T, n int) []T {
	if len(list) <= n+n/4 {
		return list
	}
	return slices.Clone(list[len(list)-n:])
}
