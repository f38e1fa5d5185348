-- What became of calls under the limits of a provider's account: those that are over, places that nobody
-- has used, and what the provider has told meanwhile. Needs no token: nothing of a job changes.
--
-- KEYS  ready
-- ARGV  2 account  3 requests a minute  4 tokens a minute (0 = any number)
--       5 ms for which the provider has asked to be left alone (0 = it has not)
--       6 its limit of requests  7 how many are left  8 ms until all are there again  9 - 11 the same of
--       tokens ('' = not told)
--       12 requests and 13 tokens that were given away and not used  14 ... names of calls that are over, at
--       most 100
-- Returns 1
--
-- After it: nobody of the fleet begins before the provider wants it. What is left there is all that may
-- begin at once; where that is little, the pace is the one at which it comes back, for up to a minute.

local RARE, FRESH_MS, SLOW_MS = 20, 60000, 1000
local account = name_at(2, 'account')
local a_minute = { requests = whole(3, 'requests', 1e9), tokens = whole(4, 'tokens', 1e9) }
local asked = math.min(whole(5, 'asked', MAX_SPAN), LONGEST_MS)
local function told_at(at, name)
  if ARGV[at] == '' then return nil end
  return whole(at, name, MAX_SPAN)
end
local told = {
  requests = { limit = told_at(6, 'limit'), left = told_at(7, 'left'), full = told_at(8, 'reset') },
  tokens = { limit = told_at(9, 'limit'), left = told_at(10, 'left'), full = told_at(11, 'reset') },
}
local unused = { requests = whole(12, 'unused', 1e9), tokens = whole(13, 'unused', 1e9) }
if #ARGV - 13 > JOBS_A_SCRIPT then refuse('calls') end
for at = 14, #ARGV do name_at(at, 'call') end

local kept = redis.call('HMGET', limit_key(account), 'alone_until', 'gaps_until', 'requests',
  'requests_gap', 'tokens', 'tokens_gap')
local alone_until, gaps_until = soon(kept[1]), kept[2]
local meters = {
  requests = { given = number(kept[3]), gap = number(kept[4]) },
  tokens = { given = number(kept[5]), gap = number(kept[6]) },
}

-- The pace at which a provider gives back what it has given away, where that says anything.
local function pace_of(one)
  local away = one.limit and one.left and one.limit - one.left or 0
  return one.full and away > 0 and one.full / away or nil
end

for kind, meter in pairs(meters) do
  local one = told[kind]
  local pace = pace_of(one)
  local is_rare = one.left and (one.left == 0 or one.limit and one.left * RARE <= one.limit)
  if is_rare and pace then
    meter.gap, gaps_until = pace / USED_SHARE, now + FRESH_MS
  end
  if one.left == 0 then
    alone_until = math.max(alone_until, now + math.min(pace or one.full or 0, LONGEST_MS))
  end
  local gap = gap_of(a_minute[kind], meter.gap, gaps_until)
  if one.left then
    meter.given = math.max(meter.given, now + BURST_MS[kind] - one.left * gap)
  end
  meter.given = meter.given - unused[kind] * gap
end
if asked > 0 then
  alone_until = math.max(alone_until, now + asked)
  if gap_of(a_minute.requests, meters.requests.gap, gaps_until) == 0 then
    meters.requests.gap, gaps_until = math.min(asked, SLOW_MS), now + asked + FRESH_MS / 4
  end
end

keep_limit(account, 'alone_until', decimal(alone_until), 'gaps_until', decimal(number(gaps_until)),
  'requests', decimal(meters.requests.given), 'requests_gap', decimal(meters.requests.gap),
  'tokens', decimal(meters.tokens.given), 'tokens_gap', decimal(meters.tokens.gap))
for at = 14, #ARGV do redis.call('ZREM', in_flight_key(account), ARGV[at]) end
return 1
