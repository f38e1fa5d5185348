-- May a call begin under the limits of a provider's account? The fleet shares them, by Redis' own clock
-- (GCRA): of requests and of tokens, the time is kept until which all are given away; and the calls in
-- flight are kept, each for as long as it may take. Needs no token: nothing of a job changes.
--
-- KEYS  ready
-- ARGV  2 account  3 the call's name, used by no other
--       4 requests a minute  5 tokens a minute  6 calls in flight (each: 0 = any number)
--       7 tokens of this call, at most  8 longest wait in ms for which its place is kept
--       9 ms after which it has ended for certain
-- Returns { word, ms }. 'granted': it may begin after these ms. Its place is kept, and `settle` is owed.
--         Or what does not let it begin: 'requests', 'tokens', 'in_flight', or 'told' (the provider has
--         asked to be left alone). Then nothing is kept, and these are the ms until asking again is of use:
--         whoever is willing to wait for a call in flight may look again soon, all others are sent away for
--         ever longer, one call's time each, so that they do not come back as one
--
-- Before: anything. What is kept is forgotten 20 min after its last use; a lost key is an account at rest.

local LOOK_AGAIN_MS = 200
local account, name = name_at(2, 'account'), name_at(3, 'call')
local requests_a_minute = whole(4, 'requests', 1e9)
local tokens_a_minute, most = whole(5, 'tokens', 1e9), whole(6, 'calls in flight', 1e9)
local size, patience = whole(7, 'size', 1e9), whole(8, 'patience', LONGEST_MS)
local hold = whole(9, 'hold', MAX_SPAN)

local kept = redis.call('HMGET', limit_key(account), 'requests', 'tokens', 'alone_until', 'back',
  'requests_gap', 'tokens_gap', 'gaps_until')
local flights = in_flight_key(account)
local is_full = false
if most > 0 then
  redis.call('ZREMRANGEBYSCORE', flights, '-inf', now)
  is_full = redis.call('ZCARD', flights) >= most
end

-- When a meter whose units are given away until `given` lets this call begin, and what it takes of it.
local function turn(given, gap, units, burst)
  if number(given) > now + LONGEST_MS then given = now end
  local takes = gap * units
  return { at = number(given) - math.max(burst - takes, 0), takes = takes, given = number(given) }
end

local requests_gap = gap_of(requests_a_minute, kept[5], kept[7])
local tokens_gap = gap_of(tokens_a_minute, kept[6], kept[7])
local requests = turn(kept[1], requests_gap, 1, BURST_MS.requests)
local tokens = turn(kept[2], tokens_gap, size, BURST_MS.tokens)
local at, why = now, 'requests'
for _, one in ipairs({
  { 'requests', requests.takes > 0 and requests.at or now },
  { 'tokens', tokens.takes > 0 and tokens.at or now },
  { 'told', soon(kept[3]) },
}) do
  if one[2] > at then at, why = one[2], one[1] end
end

if at - now <= patience and not is_full then
  keep_limit(account, 'requests', decimal(math.max(requests.given, at) + requests.takes),
    'tokens', decimal(math.max(tokens.given, at) + tokens.takes))
  if most > 0 then
    redis.call('ZADD', flights, at + hold, name)
    redis.call('PEXPIRE', flights, math.ceil(at - now + hold))
  end
  return { 'granted', math.ceil(at - now) }
end

if is_full and at - now <= patience then
  if patience > LOOK_AGAIN_MS then return { 'in_flight', LOOK_AGAIN_MS } end
  why = 'in_flight'
end
local back = math.max(soon(kept[4]), at - patience, now + LOOK_AGAIN_MS)
keep_limit(account, 'back', decimal(back + math.max(requests.takes, tokens.takes, LOOK_AGAIN_MS)))
return { why, math.ceil(back - now) }
