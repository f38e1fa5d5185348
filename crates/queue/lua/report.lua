-- The one way out of a lease for the worker that holds it.
--
-- Transitions: done, retry, park, dead, release, crash, cancel, expire, unpark.
-- KEYS  ready delayed parked leased done dead cancelled expired deadlines wake landed trash
--       events webhooks
-- ARGV  2 id  3 token  4 outcome: done, retry, dead, park, release or crash (the process of the attempt
--         has died, as its worker saw)
--       5 delay ms (retry: back-off; park: until it wakes)  6 park reason
--       7 error (JSON, '' = none)  8 artifact (JSON)  9 stages (JSON, '' = unchanged)
--       10 cost (JSON, '' = unchanged)  11 interruptions without a checkpoint that end the job
--       12 error for too many of them (JSON)  13 crashes without a checkpoint that end the job, by
--         the error of 7  then each flight that a park waits for
-- Returns {'accepted', state}, {'stale', state or ''}, or {'go-on', ''}: a flight that the job
--         wants to wait for has landed or lost its owner, so the job stays leased; its cost is kept.
-- After `accepted`: the job is in `state`. Repeating a report that was accepted answers the same.

local id, token, delay, reason = ARGV[2], ARGV[3], whole(5, 'delay', MAX_SPAN), ARGV[6]
local outcome = one_of(4, 'outcome', 'done', 'retry', 'dead', 'park', 'release', 'crash')
if outcome == 'park' then one_of(6, 'reason', 'provider', 'rate', 'flight', 'version') end
local failure, artifact, stages, cost = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local max_interruptions, no_progress = whole(11, 'interruptions', MAX_SPAN), ARGV[12]
local max_crashes, FLIGHTS_AT = whole(13, 'crashes', MAX_SPAN), 14
for at = FLIGHTS_AT, #ARGV do flight_at(at) end

local job = get(id, 'state', 'token', 'last_report', 'owns', 'awaits', 'heir', 'tenant',
  'idempotency_key', 'webhook', 'revision')
if not is_current(job, token) then
  local repeated = string.match(job[3] or '', '^(.*)=%a+$') == token .. ':' .. outcome
  if repeated then return { 'accepted', string.match(job[3], '=(%a+)$') } end
  return { 'stale', job[1] or '' }
end

-- What stands beside the outcome in the record.
local fields = {}
local function keep(field, value)
  if value ~= '' then fields[#fields + 1], fields[#fields + 2] = field, value end
end

keep('cost', cost)
if outcome == 'done' then
  keep('stages', stages)
  keep('artifact', artifact)
  keep('percent', 100)
  keep('last_report', token .. ':done=done')
  leave_leased(id, not (job[4] or job[5] or job[6]), 'error')
  finish(id, 'done', fields, { job[7], job[8], job[9], job[10] })
  return { 'accepted', 'done' }
end

local function waits_in_vain()
  for at = FLIGHTS_AT, #ARGV do
    local owner = owner_of(ARGV[at])
    if not owner or owner == id then return true end
  end
  return false
end

local outcomes = {}

function outcomes.dead() return die(id, failure) end

function outcomes.retry()
  local attempts = redis.call('HINCRBY', job_key(id), 'attempts', 1)
  local max_attempts = number(redis.call('HGET', job_key(id), 'max_attempts'))
  if attempts >= max_attempts then return die(id, failure) end
  leave_leased(id)
  redis.call('HSET', job_key(id), 'state', 'delayed', 'wake_ms', now + delay)
  redis.call('ZADD', delayed, now + delay, id)
  redis.call('ZADD', deadlines, number(redis.call('HGET', job_key(id), 'deadline_ms')), id)
  announce(id, 'delayed')
  return 'delayed'
end

function outcomes.park()
  leave_leased(id)
  redis.call('HSET', job_key(id), 'state', 'parked', 'reason', reason, 'wake_ms', now + delay)
  redis.call('ZADD', parked, now + delay, id)
  redis.call('ZADD', deadlines, number(redis.call('HGET', job_key(id), 'deadline_ms')), id)
  for at = FLIGHTS_AT, #ARGV do
    redis.call('ZADD', waiters_key(ARGV[at]), rank(id), id)
    add_line(id, 'awaits', ARGV[at])
  end
  announce(id, 'parked')
  return 'parked'
end

function outcomes.release()
  if count_interruption(id, max_interruptions) then return die(id, no_progress) end
  leave_leased(id)
  make_ready(id)
  return 'ready'
end

function outcomes.crash()
  return crash(id, max_crashes, failure)
end

local overrule, state = overruled(id), nil
local in_vain = outcome == 'park' and not overrule and waits_in_vain()
if not in_vain then
  keep('error', failure)
  keep('stages', stages)
end
if #fields > 0 then redis.call('HSET', job_key(id), unpack(fields)) end
if in_vain then return { 'go-on', '' } end

if overrule then
  leave_leased(id)
  finish(id, overrule)
  state = overrule
else
  state = outcomes[outcome]()
end
redis.call('HSET', job_key(id), 'last_report', token .. ':' .. outcome .. '=' .. state)
return { 'accepted', state }
