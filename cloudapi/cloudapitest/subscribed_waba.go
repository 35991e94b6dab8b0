package cloudapitest

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// SubscribeWABA subscribes the app to an account, as POST /{waba-id}/subscribed_apps does, for a
// world in which that has happened already. No hook is called.
func (s *Server) SubscribeWABA(id graph.WABAID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.waba(id); w != nil {
		w.subscribed = true
	}
}
