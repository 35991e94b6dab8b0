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
// every budget by itself, a little less than the number's throughput divided by [Config].Processes.
// The shares also hold for three seconds after an outage, until the last process has noticed that
// it is over, and for three seconds after Redis has started, for processes that had nothing to send
// while it was away: before, during and after it, a number's second holds no more messages than it
// may.
// Name at least as many processes as send. Pairs are counted by each process for itself meanwhile.
// A process that alone is cut off from Redis adds its share to what the others send; then Meta may
// refuse a message, which is repeated and never doubled.
//
// The outage is logged when it begins and when it ends. go-redis itself writes to standard error
// about connections that fail; [ClientLogger] sends that to a logger of yours. With
// [Config].FailClosed nothing is sent until Redis is back.
//
// # Fairness
//
// In each process replies go before campaigns, and those of the same kind in order, but for
// messages that wait for the pair rule: those come in no order. Between processes, a reply that
// waits holds the campaigns of all others back; otherwise the order is a matter of chance.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/send.md
package redislimit
