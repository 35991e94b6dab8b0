package mementotest

// SimulatorRules are the members of the simulator that are made once and never change, and those
// that a snapshot leaves out on purpose. What is not here has to come back with a snapshot.
func SimulatorRules() Rules {
	rules := Rules{}
	for rule, names := range map[Rule][]string{
		Skip: {
			// Made once.
			"cloudapitest.Server.URL", "cloudapitest.Server.listener", "cloudapitest.Server.network",
			"cloudapitest.Server.mux", "cloudapitest.Server.edges", "cloudapitest.Server.app",
			"cloudapitest.Server.systemToken", "cloudapitest.Server.strict", "cloudapitest.Server.proofRequired",
			"cloudapitest.Server.enforceLimits", "cloudapitest.chaos.Chaos", "cloudapitest.chaos.on",
			"cloudapitest.chaos.kinds", "cloudapitest.fault.header", "cloudapitest.fault.err",
			"coexistencetest.World.URL", "coexistencetest.World.local", "coexistencetest.World.cfg",
			"coexistencetest.World.partner", "coexistencetest.Phone.cfg", "coexistencetest.Phone.owner",
			"coexistencetest.Phone.addedAt", "coexistencetest.Phone.cloudOnly", "coexistencetest.Phone.token",
			"coexistencetest.Responder.cfg", "coexistencetest.dialog.problem", "coexistencetest.dialog.result",
			"coexistencetest.dispatcher.secret", "coexistencetest.dispatcher.client",
			"coexistencetest.dispatcher.keepLast", "coexistencetest.dispatcher.ctx",
			// How far the clock was moved; what it shows is the state.
			"cloudapitest.state.advanced",
			// Of the running program: there is none of these while a snapshot is taken.
			"cloudapitest.Server.underWay", "coexistencetest.dispatcher.inFlight", "coexistencetest.dispatcher.held",
			"coexistencetest.dispatcher.closed",
			// The test's own.
			"cloudapitest.Server.onMessage", "cloudapitest.Server.onRead", "cloudapitest.Server.onSync",
			"cloudapitest.Server.onSubscribe", "cloudapitest.Server.onTemplate", "cloudapitest.Server.onThread",
			"coexistencetest.World.relied", "coexistencetest.dispatcher.relied",
		},
		Stay: {
			"cloudapitest.Server.source", "cloudapitest.chaos.source",
			"coexistencetest.World.graph", "coexistencetest.World.dispatcher", "coexistencetest.World.source",
			"coexistencetest.Phone.world", "coexistencetest.Customer.phone", "coexistencetest.Customer.chat",
			"coexistencetest.Responder.phone", "coexistencetest.dispatcher.graph",
			"coexistencetest.dispatcher.source",
		},
	} {
		for _, name := range names {
			rules[name] = rule
		}
	}
	return rules
}
