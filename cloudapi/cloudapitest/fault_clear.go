package cloudapitest

// Faults returns how many failures of [Server.Inject] still wait for a request.
func (s *Server) Faults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.faults {
		n += f.times
	}
	return n
}

// ClearFaults takes back every failure that still waits for a request. Those of [Server.Chaos]
// continue.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}
