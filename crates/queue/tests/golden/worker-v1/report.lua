-- The one way out of a lease for the worker that holds it.
--
-- Transitions: done, retry, park, dead, release, cancel, expire, unpark.
-- ARGV  2 id  3 token  4 outcome: done, retry, dead, park or release
--       5 delay ms (retry: back-off; park: until it wakes)  6 park reason
--       7 error (JSON, '' = none)  8 artifact (JSON)  9 stages (JSON, '' = unchanged)
--       10 cost (JSON, '' = unchanged)  11 interruptions without a checkpoint that end the job
--       12 error for too many of them (JSON)  then each flight that a park waits for
-- Returns {'accepted', state}, {'stale', state or ''}, or {'go-on', ''}: a flight that the job
--         wants to wait for has landed or lost its owner, so the job stays leased; its cost is kept.
-- After `accepted`: the job is in `state`. Repeating a report that was accepted answers the same.

local id, token, delay, reason = ARGV[2], ARGV[3], whole(5, 'delay', MAX_SPAN), ARGV[6]
local outcome = one_of(4, 'outcome', 'done', 'retry', 'dead', 'park', 'release')
if outcome == 'park' then one_of(6, 'reason', 'provider', 'rate', 'flight', 'version') end
local failure, artifact, stages, cost = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local max_interruptions, no_progress = whole(11, 'interruptions', MAX_SPAN), ARGV[12]
if #ARGV < 12 then refuse('number of values') end
for at = 13, #ARGV do flight_at(at) end

if not holds(id, token) then
  local known = get(id, 'last_report', 'state')
  local repeated = string.match(known[1] or '', '^(.*)=%a+$') == token .. ':' .. outcome
  if repeated then return { 'accepted', string.match(known[1], '=(%a+)$') } end
  return { 'stale', known[2] or '' }
end

local function waits_in_vain()
  for at = 13, #ARGV do
    local owner = owner_of(ARGV[at])
    if not owner or owner == id then return true end
  end
  return false
end

local function keep(field, value)
  if value ~= '' then redis.call('HSET', job_key(id), field, value) end
end

local function die(why)
  keep('error', why)
  leave_leased(id)
  finish(id, 'dead')
  return 'dead'
end

local outcomes = {}

function outcomes.done()
  redis.call('HSET', job_key(id), 'artifact', artifact, 'percent', 100)
  redis.call('HDEL', job_key(id), 'error')
  leave_leased(id)
  finish(id, 'done')
  return 'done'
end

function outcomes.dead() return die(failure) end

function outcomes.retry()
  local attempts = redis.call('HINCRBY', job_key(id), 'attempts', 1)
  local max_attempts = number(redis.call('HGET', job_key(id), 'max_attempts'))
  if attempts >= max_attempts then return die(failure) end
  keep('error', failure)
  leave_leased(id)
  redis.call('HSET', job_key(id), 'state', 'delayed', 'wake_ms', now + delay)
  redis.call('ZADD', delayed, now + delay, id)
  redis.call('ZADD', deadlines, number(redis.call('HGET', job_key(id), 'deadline_ms')), id)
  announce(id, 'delayed')
  return 'delayed'
end

function outcomes.park()
  keep('error', failure)
  leave_leased(id)
  redis.call('HSET', job_key(id), 'state', 'parked', 'reason', reason, 'wake_ms', now + delay)
  redis.call('ZADD', parked, now + delay, id)
  redis.call('ZADD', deadlines, number(redis.call('HGET', job_key(id), 'deadline_ms')), id)
  for at = 13, #ARGV do
    redis.call('ZADD', waiters_key(ARGV[at]), rank(id), id)
    add_line(id, 'awaits', ARGV[at])
  end
  announce(id, 'parked')
  return 'parked'
end

function outcomes.release()
  keep('error', failure)
  if count_interruption(id, max_interruptions) then return die(no_progress) end
  leave_leased(id)
  make_ready(id)
  return 'ready'
end

keep('cost', cost)
local overrule = outcome ~= 'done' and overruled(id)
if outcome == 'park' and not overrule and waits_in_vain() then return { 'go-on', '' } end

keep('stages', stages)
local state
if overrule then
  keep('error', failure)
  leave_leased(id)
  finish(id, overrule)
  state = overrule
else
  state = outcomes[outcome]()
end
redis.call('HSET', job_key(id), 'last_report', token .. ':' .. outcome .. '=' .. state)
return { 'accepted', state }
