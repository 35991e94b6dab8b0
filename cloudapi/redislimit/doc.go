// Package redislimit is a cloudapi.Limiter in Redis: several processes share WhatsApp's rate
// limits. It has the rules of cloudapi.MemLimiter: messages a second, the pair rule, replies before
// campaigns, slower when Meta says so.
//
//	limiter, err := redislimit.New(redis.NewClient(options), redislimit.Config{Processes: 4})
//	if err != nil {
//		return err
//	}
//	client, err := cloudapi.NewClient(cloudapi.Config{Limiter: limiter})
//
// A coexistence.Tracker whose Config.Client returns copies of this client records in the limiter
// what numbers receive.
//
// # What is in Redis
//
// For each number one hash, for each pair one string, both gone a while after they stop to matter.
// One script takes from both budgets or from none, by the clock of the server, so that clocks of
// processes do not matter. Recipients are in the names of keys as hashes only. The keys of a number
// have one hash tag, so that a cluster keeps them together. Redis 5 or newer.
//
// # When Redis is down
//
// Messages still go out: for as long as Redis does not answer, each process keeps to its share of
// every budget by itself, the number's throughput divided by [Config].Processes. A process that
// sends more than its share can meet Meta's limit, which refuses the message, so that it is
// repeated and never doubled. Pairs are then counted by each process for itself. The outage is
// logged when it begins and when it ends. With [Config].FailClosed nothing is sent until Redis is
// back.
//
// # Fairness
//
// In each process replies go before campaigns, and those of the same kind in order, but for
// messages that wait for the pair rule: those come in no order. Between processes a reply that
// waits holds the campaigns of all others back, and who comes first is a matter of chance.
package redislimit
