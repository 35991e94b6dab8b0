package redislimit

import "github.com/redis/go-redis/v9"

// All scripts count in microseconds of the server's clock. A budget is stored as one time, the
// theoretical arrival time (tat) of the generic cell rate algorithm: when the budget would be full
// again. Spending a message moves it on by the time that one message takes, and a message may leave
// if that is no more than a burst ahead of now. Lua writes large numbers with fourteen digits, so
// they are formatted.

// pace is the beginning of all scripts. It computes what the number's throughput is at the moment.
// What Meta took away comes back with time.
const pace = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local function whole(x) return string.format('%.0f', x) end
local function share(lost, at, recovery)
	if not lost then return 1 end
	return math.min(1, 1 - lost + (now - at) / recovery)
end
local function keep(key, tat, pause)
	redis.call('PEXPIRE', key, whole((math.max(tat, pause, now) - now) / 1000 + 60000))
end
`

// takeScript spends one message of the number's budget and one of the pair's, or none of either. It
// answers {wait, wait for the pair, how long shares hold}; nothing was spent unless both waits are
// zero.
//
// A Redis that has just started has lost the budgets, and some processes may not have noticed that
// it was away while others still send by their shares. The third number tells them. The server's
// age comes from INFO, which some administrators forbid: then its age counts as zero.
//
// KEYS: number, pair. ARGV: rate, burst, time of one message to a pair, burst of a pair, whether it
// is a reply, recovery, how long shares hold after an outage.
var takeScript = redis.NewScript(pace + `
local rate, burst, step, pairBurst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local reply, recovery = ARGV[5] == '1', tonumber(ARGV[6])

local pairTat = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now) + step
local pairWait = pairTat - pairBurst * step - now
if pairWait > 0 then return {0, math.ceil(pairWait), 0} end

local n = redis.call('HMGET', KEYS[1], 'tat', 'pause', 'lost', 'at', 'reply', 'shares')
for i = 1, 6 do n[i] = tonumber(n[i] or nil) end
local one = 1000000 / (rate * share(n[3], n[4], recovery))
if not n[1] then
	-- Either the number was silent for a minute, or Redis has lost what it sent a moment ago.
	n[1] = now + burst * one
	redis.call('HSET', KEYS[1], 'tat', whole(n[1]))
	local info = redis.pcall('INFO', 'server')
	local age = type(info) == 'string' and tonumber(string.match(info, 'uptime_in_seconds:(%d+)')) or 0
	n[6] = now + ARGV[7] - age * 1000000
	if n[6] > now then redis.call('HSET', KEYS[1], 'shares', whole(n[6])) end
	keep(KEYS[1], n[1], n[2] or 0)
end
local shares = math.max(0, (n[6] or 0) - now)
local tat = math.max(n[1], now) + one
local wait = math.max((n[2] or 0) - now, tat - burst * one - now)

if not reply and wait <= 0 and (n[5] or 0) > now then wait = n[5] - now end
if wait > 0 then
	if reply then
		-- Campaigns keep off until this reply had its chance to ask again.
		redis.call('HSET', KEYS[1], 'reply', whole(now + wait + 50000))
		keep(KEYS[1], n[1], n[2] or 0)
	end
	return {math.ceil(wait), 0, math.ceil(shares)}
end
redis.call('HSET', KEYS[1], 'tat', whole(tat))
if reply then redis.call('HDEL', KEYS[1], 'reply') end
keep(KEYS[1], tat, n[2] or 0)
redis.call('SET', KEYS[2], whole(pairTat), 'PX', whole(math.ceil((pairTat - now) / 1000)))
return {0, 0, math.ceil(shares)}
`)

// receiveScript spends one message that has come already, into a debt of one second at most.
//
// KEYS: number. ARGV: rate, recovery.
var receiveScript = redis.NewScript(pace + `
local n = redis.call('HMGET', KEYS[1], 'tat', 'pause', 'lost', 'at')
for i = 1, 4 do n[i] = tonumber(n[i] or nil) end
local tat = math.max(n[1] or 0, now)
if tat - now < 1000000 then
	tat = tat + 1000000 / (tonumber(ARGV[1]) * share(n[3], n[4], tonumber(ARGV[2])))
	redis.call('HSET', KEYS[1], 'tat', whole(tat))
	keep(KEYS[1], tat, n[2] or 0)
end
return {0, 0, 0}
`)

// throttleScript slows a number or a pair down.
//
// KEYS: number, pair. ARGV: pause, pause of the pair, whether to halve, ceiling, time of one
// message to a pair, burst of a pair, recovery, least share.
var throttleScript = redis.NewScript(pace + `
local n = redis.call('HMGET', KEYS[1], 'tat', 'pause', 'lost', 'at', 'halved')
for i = 1, 5 do n[i] = tonumber(n[i] or nil) end
local before = share(n[3], n[4], tonumber(ARGV[7]))
local after, pause = before, n[2] or 0
if tonumber(ARGV[1]) > 0 then
	pause = math.max(pause, now + ARGV[1])
	redis.call('HSET', KEYS[1], 'pause', whole(pause))
end
if ARGV[3] == '1' and now - (n[5] or 0) >= 1000000 then
	after = after / 2
	redis.call('HSET', KEYS[1], 'halved', whole(now))
end
if tonumber(ARGV[4]) > 0 then after = math.min(after, tonumber(ARGV[4])) end
if after < 1 then
	redis.call('HSET', KEYS[1], 'lost', tostring(1 - math.max(after, tonumber(ARGV[8]))), 'at', whole(now))
end
if redis.call('EXISTS', KEYS[1]) == 1 then keep(KEYS[1], n[1] or 0, pause) end
if tonumber(ARGV[2]) > 0 then
	local tat = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now + ARGV[2] + (ARGV[6] - 1) * ARGV[5])
	redis.call('SET', KEYS[2], whole(tat), 'PX', whole(math.ceil((tat - now) / 1000)))
end
return {0, 0, 0}
`)

// forgetScript deletes keys.
//
// KEYS: those to delete.
var forgetScript = redis.NewScript(`
redis.call('DEL', unpack(KEYS))
return {0, 0, 0}
`)
