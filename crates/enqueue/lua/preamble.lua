#!lua flags=allow-oom
-- What every verb of the queue shares; `scripts.rs` puts it in front of each of them.
--
-- Each paragraph is a part: a verb gets those parts alone that it names, and those that they name
-- (`src/lua.rs`). Redis runs all of a script's text at every call, so that what is not needed costs as
-- much as what is.
--
-- KEYS  those of `keys::FIXED` that the verb or its parts name, in that order: locals of these names
-- ARGV  1 the prefix of the per-job keys; the verbs' own arguments follow
--
-- allow-oom: finishing work frees memory, so it must go on when Redis is full.

local prefix = ARGV[1]
local FLIGHT_MARK_S = 60
local BODY_OF_DEAD_MS = 7 * 24 * 3600 * 1000

-- Jobs that one script may touch: a longer one would hold up everybody else on this Redis.
local JOBS_A_SCRIPT = 100

-- Lines of the audit that are kept: some 2 MB.
local AUDIT_LINES = 10000

-- What a delivery tells of its job, as it was when the job ended; the address first.
local WEBHOOK_FACTS = {
  'webhook', 'tenant', 'state', 'format', 'finished_ms', 'metadata', 'artifact', 'error', 'cost',
}

-- What is ready and has its deadline so far behind the moment at which it first was, the reaper finds by
-- its rank: it need not lie in `deadlines`, too. One day, as long as a job has that names no deadline.
local FOUND_BY_RANK_MS = 24 * 3600 * 1000

-- Ten years in ms: the longest span that a verb takes.
local MAX_SPAN = 315360000000

-- How many of them are left to this script.
local room = JOBS_A_SCRIPT

local clock = redis.call('TIME') --@clock
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local index = {
  ready = ready, delayed = delayed, parked = parked, leased = leased,
  done = done, dead = dead, cancelled = cancelled, expired = expired,
}

local function job_key(id) return prefix .. 'job:' .. id end
local function body_key(id) return prefix .. 'body:' .. id end

local function transcript_key(id) return prefix .. 'transcript:' .. id end

local function flight_key(key) return prefix .. 'flight:' .. key end
local function waiters_key(key) return prefix .. 'waiters:' .. key end

local function probes_key(stage) return prefix .. 'probes:' .. stage end

local function webhook_key(id) return prefix .. 'webhook:' .. id end

local function get(id, ...) return redis.call('HMGET', job_key(id), ...) end

-- A stored number; 0 for none. What an old client wrote unchecked must not end a script half-way: no
-- index takes nan, and no time is past what a float counts in whole steps.
local function number(text)
  local value = tonumber(text or 0) or 0
  if value ~= value then return 0 end
  return math.max(-2 ^ 53, math.min(2 ^ 53, value))
end

-- A whole number as text: Redis itself would write each one as a fraction of 17 digits, at ten times the
-- price.
local function text_of(number) return string.format('%d', number) end

-- The verbs' own arguments are judged before anything is written.
local function refuse(what) error({ err = 'INVALID ' .. what }) end

-- Digits alone: `tonumber` also takes nan, inf, 1e300 and 0x5.
local function whole(at, name, max)
  local text = ARGV[at] or ''
  local value = #text <= 15 and string.find(text, '^%d+$') and tonumber(text)
  if not value or value > max then refuse(name) end
  return value
end

local function one_of(at, name, ...)
  for _, word in ipairs({ ... }) do
    if ARGV[at] == word then return word end
  end
  refuse(name)
end

-- Workers and nonces are parts of lines and tokens.
local function name_at(at, name)
  local text = ARGV[at] or ''
  if not string.find(text, '^[A-Za-z0-9._-]+$') then refuse(name) end
  return text
end

-- A line of a person's own words.
local function text_at(at, name, least, most)
  local text = ARGV[at] or ''
  if #text < least or #text > most or string.find(text, '%c') then refuse(name) end
  return text
end

-- Who changes a queue and why, at the same place in each operator's verb of one job: 3 by, 1 to 128
-- bytes  4 interface  5 why, at most 500 bytes ('' = nobody has said). None has control characters.
local function actor(at)
  at = at or 3
  return {
    by = text_at(at, 'by', 1, 128),
    interface = one_of(at + 1, 'interface', 'cli', 'api', 'page', 'crate'),
    why = text_at(at + 2, 'why', 0, 500),
  }
end

-- The line of a change by a person, written by the script that makes the change. `about` names the
-- job and its tenant, or a filter and how many jobs it met, and what it changed of a request; of what is
-- not about them, nothing.
local function note(who, action, result, about)
  local number = redis.call('HINCRBY', counts, 'audited', 1)
  redis.call('ZADD', audit, number, cjson.encode({
    number, text_of(now), who.by, who.interface, action, result, who.why,
    about.job or '', about.tenant or '', about.filter or '', about.jobs or 0, about.changes or nil,
  }))
  redis.call('ZREMRANGEBYRANK', audit, 0, -AUDIT_LINES - 1)
end

-- Flight keys are parts of keys, and are kept one a line.
local function flight_at(at)
  local key = ARGV[at] or ''
  if not string.find(key, '^[!-~]+$') then refuse('flight') end
  return key
end

-- The jobs of an index that are due at `at`, the first ones first: at most `most`, and what room is left.
local function take_due(of, at, most)
  local limit = math.max(0, math.min(room, most))
  local due = redis.call('ZRANGEBYSCORE', of, '-inf', at, 'LIMIT', 0, limit)
  room = room - #due
  return due
end

-- Whoever watches a job goes on from a revision of its record; a forgotten one has none.
local function announce(id, state)
  if state ~= 'purged' then redis.call('HINCRBY', job_key(id), 'revision', 1) end
  redis.call('PUBLISH', events, id .. ':' .. state)
end

local function wake_worker() redis.call('ZADD', wake, 0, '1') end

-- Lists of flight keys are kept in a field, one key a line: a job has at most four.
local function lines(text)
  local list = {}
  for line in string.gmatch(text or '', '[^\n]+') do list[#list + 1] = line end
  return list
end

-- `text` is what the field holds, where the caller has read it.
local function add_line(id, field, key, text)
  local list = lines(text or redis.call('HGET', job_key(id), field))
  for _, known in ipairs(list) do
    if known == key then return end
  end
  list[#list + 1] = key
  redis.call('HSET', job_key(id), field, table.concat(list, '\n'))
end

local function drop_line(id, field, key, text)
  local kept = {}
  for _, known in ipairs(lines(text or redis.call('HGET', job_key(id), field))) do
    if known ~= key then kept[#kept + 1] = known end
  end
  if #kept == 0 then
    redis.call('HDEL', job_key(id), field)
  else
    redis.call('HSET', job_key(id), field, table.concat(kept, '\n'))
  end
end

-- What a job has in whose hash nothing stands of it: a producer need not write it down.
local DEFAULT_PRIORITY = 5
local DEFAULT_ATTEMPTS = 5

-- By it the lowest goes first. `rank_ms` stands beside `ready_ms` when the clock was set back.
local function rank_of(ready_ms, priority, rank_ms)
  priority = math.max(0, math.min(9, math.floor(number(priority or DEFAULT_PRIORITY))))
  return number(rank_ms or ready_ms) - 60000 * priority
end

local function rank(id) return rank_of(unpack(get(id, 'ready_ms', 'priority', 'rank_ms'))) end

-- The clock by which jobs are ranked, as `enqueue` keeps it, is moved on to now. Answers how far it is
-- ahead of Redis' own.
local function rank_ahead()
  local kept = redis.call('HMGET', counts, 'rank_ms', 'rank_ahead_ms')
  local last, ahead = number(kept[1]), number(kept[2])
  if now + ahead < last then
    ahead = last + 1 - now
    redis.call('HSET', counts, 'rank_ahead_ms', ahead)
  end
  redis.call('HSET', counts, 'rank_ms', now + ahead)
  return ahead
end

-- The job's rank begins at `begin`, for the first time or anew.
local function rank_from(id, begin, ahead)
  if ahead > 0 then redis.call('HSET', job_key(id), 'rank_ms', begin + ahead) end
end

-- Into `ready`, at the rank that the job has kept since it first became ready.
local function make_ready(id)
  local job = get(id, 'ready_ms', 'priority', 'rank_ms', 'deadline_ms', 'revision')
  redis.call('HSET', job_key(id), 'state', 'ready', 'revision', number(job[5]) + 1)
  redis.call('HDEL', job_key(id), 'reason', 'wake_ms')
  redis.call('ZADD', ready, rank_of(job[1], job[2], job[3]), id)
  if number(job[4]) - number(job[1]) < FOUND_BY_RANK_MS then
    redis.call('ZADD', deadlines, number(job[4]), id)
  else
    redis.call('ZREM', deadlines, id)
  end
  wake_worker()
  redis.call('PUBLISH', events, id .. ':ready')
end

-- Out of `parked`: a job that no longer waits is no longer anyone's waiter.
local function leave_parked(id)
  redis.call('ZREM', parked, id)
  for _, key in ipairs(lines(redis.call('HGET', job_key(id), 'awaits'))) do
    redis.call('ZREM', waiters_key(key), id)
  end
  redis.call('HDEL', job_key(id), 'awaits')
end

-- What parks for a refusal parks until the next probe of the fleet, unless that is over sooner: a
-- hundred such jobs are due at once. Answers how many that were not.
local function wake_refused()
  local woken = 0
  for _, id in ipairs(redis.call('ZRANGE', parked, 0, JOBS_A_SCRIPT - 1)) do
    if get(id, 'reason')[1] == 'provider' and number(redis.call('ZSCORE', parked, id)) > now then
      redis.call('HSET', job_key(id), 'wake_ms', text_of(now))
      redis.call('ZADD', parked, now, id)
      woken = woken + 1
    end
  end
  return woken
end

-- The job that pays for a flight now, by the job and the token that the flight names: alive exactly while
-- it is leased under that.
local function owner_by(flight)
  if not flight[1] then return end
  local job = get(flight[1], 'state', 'token')
  if job[1] == 'leased' and job[2] == flight[2] then return flight[1] end
end

local function owner_of(key) return owner_by(redis.call('HMGET', flight_key(key), 'job', 'token')) end

-- An owner left without landing: the best-ranked waiter that still waits goes on, as the heir.
local function unpark_heir(key)
  redis.call('DEL', flight_key(key))
  for _ = 1, JOBS_A_SCRIPT do
    local first = redis.call('ZRANGE', waiters_key(key), 0, 0)[1]
    if not first then return end
    redis.call('ZREM', waiters_key(key), first)
    local job = get(first, 'state', 'reason')
    if job[1] == 'parked' and job[2] == 'flight' then
      room = room - 1
      leave_parked(first)
      add_line(first, 'heir', key)
      make_ready(first)
      return
    end
    drop_line(first, 'awaits', key)
  end
  redis.call('SADD', landed, key)
end

-- Out of every flight that the job owns, waits for or inherits.
local function drop_flights(id)
  local job = get(id, 'owns', 'awaits', 'heir')
  if not (job[1] or job[2] or job[3]) then return end
  redis.call('HDEL', job_key(id), 'owns', 'awaits', 'heir')
  for _, key in ipairs(lines(job[2])) do redis.call('ZREM', waiters_key(key), id) end
  for _, key in ipairs(lines(job[1])) do
    if redis.call('HGET', flight_key(key), 'job') == id then unpark_heir(key) end
  end
  for _, key in ipairs(lines(job[3])) do
    local landed_mark = redis.call('HEXISTS', flight_key(key), 'landed') == 1
    if not landed_mark and not owner_of(key) then unpark_heir(key) end
  end
end

-- The flight has an answer (or none can come): its waiters look again. Those that still run look by
-- themselves. At most `most` of them; claims and the reaper wake the rest.
local function wake_waiters(key, most)
  local limit = math.min(room, most)
  local waiting = limit > 0 and redis.call('ZRANGE', waiters_key(key), 0, limit - 1) or {}
  room = room - #waiting
  for _, id in ipairs(waiting) do
    redis.call('ZREM', waiters_key(key), id)
    local job = get(id, 'state', 'reason')
    if job[1] == 'parked' and job[2] == 'flight' then
      leave_parked(id)
      make_ready(id)
    else
      drop_line(id, 'awaits', key)
    end
  end
  if redis.call('ZCARD', waiters_key(key)) > 0 then
    redis.call('SADD', landed, key)
  else
    redis.call('SREM', landed, key)
  end
end

-- A flight that landed with more waiters than one script may wake.
local function wake_landed(most)
  local key = redis.call('SRANDMEMBER', landed)
  if key then wake_waiters(key, most) end
end

-- Out of `leased`: the token is void and the slot free.
local function leave_leased(id)
  redis.call('ZREM', leased, id)
  drop_flights(id)
  redis.call('HDEL', job_key(id), 'token', 'begun', 'worker', 'lease_ms', 'cancel')
end

-- Whoever ends a job has put its folder on the trash already. One that waits there for a replay need not
-- wait any more; one that is gone from there is deleted.
local function hasten_work(id, tenant)
  if tenant then redis.call('ZADD', trash, 'XX', 'LT', now, tenant .. '/' .. id) end
end

local function free_key(id, tenant, key)
  if not (tenant and key) then return end
  local idem = prefix .. 'idem:' .. tenant .. '/' .. key
  if redis.call('GET', idem) == id then redis.call('DEL', idem) end
end

-- Who wants to be told that the job has ended is owed that from now on. The facts are a copy: neither a
-- replay nor retention takes a delivery away that is still owed; the job's next end takes its place.
local function owe_webhook(id)
  local facts = get(id, unpack(WEBHOOK_FACTS))
  if not facts[1] then return end
  local key = webhook_key(id)
  for at, name in ipairs(WEBHOOK_FACTS) do
    if facts[at] then
      redis.call('HSET', key, name, facts[at])
    else
      redis.call('HDEL', key, name)
    end
  end
  redis.call('HDEL', key, 'token', 'once')
  redis.call('HSET', key, 'tries', 0, 'delivery', 'due')
  redis.call('HINCRBY', key, 'event', 1)
  redis.call('HSET', job_key(id), 'delivery', 'due')
  redis.call('ZADD', webhooks, now, id)
end

-- Where a delivery stands; its job may be gone, or be another one under the same identifier.
local function show_delivery(id, word)
  redis.call('HSET', webhook_key(id), 'delivery', word)
  if redis.call('HEXISTS', job_key(id), 'delivery') == 1 then
    redis.call('HSET', job_key(id), 'delivery', word)
  end
end

-- Nothing is owed any more: the delivery is kept as long as its job's record.
local function settle_webhook(id, word)
  redis.call('ZREM', webhooks, id)
  if redis.call('HEXISTS', job_key(id), 'delivery') == 0 then
    redis.call('DEL', webhook_key(id))
    return
  end
  redis.call('HDEL', webhook_key(id), 'token', 'once')
  show_delivery(id, word)
end

-- The name of an endpoint among those that are off.
local function endpoint(tenant, url) return (tenant or '') .. ' ' .. (url or '') end

-- Into a terminal state but `done`. `dead` keeps the request for a week, so that it can be replayed.
local function finish(id, state)
  local job = get(id, 'tenant', 'idempotency_key', 'webhook', 'revision')
  redis.call('HSET', job_key(id), 'state', state, 'finished_ms', now,
    'revision', number(job[4]) + 1)
  redis.call('ZADD', index[state], now, id)
  free_key(id, job[1], job[2])
  local gone_at = now
  if state == 'dead' then
    redis.call('PEXPIRE', body_key(id), BODY_OF_DEAD_MS)
    gone_at = now + BODY_OF_DEAD_MS
  else
    redis.call('DEL', body_key(id))
  end
  if job[1] then redis.call('ZADD', trash, gone_at, job[1] .. '/' .. id) end
  if job[3] then owe_webhook(id) end
  redis.call('PUBLISH', events, id .. ':' .. state)
end

local function has_ended(state)
  return state == 'done' or state == 'dead' or state == 'cancelled' or state == 'expired'
end

-- The record of an ended job goes, and all that hung on it; but for a delivery that is still owed, if
-- `outlived` by it.
local function forget(id, state, outlived)
  if not (outlived and redis.call('ZSCORE', webhooks, id)) then
    redis.call('ZREM', webhooks, id)
    redis.call('DEL', webhook_key(id))
  end
  local job = get(id, 'tenant', 'idempotency_key')
  hasten_work(id, job[1])
  free_key(id, job[1], job[2])
  redis.call('ZREM', index[state], id)
  redis.call('DEL', job_key(id), body_key(id), transcript_key(id))
  redis.call('HINCRBY', counts, 'purged', 1)
end

-- Out of a waiting state, whichever it is.
local function leave_waiting(id, state)
  redis.call('HDEL', job_key(id), 'reason', 'wake_ms')
  redis.call('ZREM', deadlines, id)
  if state == 'ready' then
    -- A worker before this version may have put it into `solo`.
    if redis.call('ZREM', ready, id) == 0 then redis.call('ZREM', solo, id) end
  elseif state == 'parked' then
    leave_parked(id)
  else
    redis.call('ZREM', delayed, id)
  end
  drop_flights(id)
end

-- The transitions promote and unpark: what is due becomes ready, at most `most` of each kind.
local function promote_due(most)
  local due = take_due(delayed, now, most)
  local ahead = #due > 0 and rank_ahead()
  for _, id in ipairs(due) do
    redis.call('ZREM', delayed, id)
    -- What was leased before has its rank.
    local job = get(id, 'fence', 'ready_ms')
    if not job[1] then rank_from(id, number(job[2]), ahead) end
    make_ready(id)
  end
  for _, id in ipairs(take_due(parked, now, most)) do
    leave_parked(id)
    make_ready(id)
  end
end

-- Milliseconds until something waiting becomes due; -1 when nothing waits for a time.
local function next_due()
  local due = math.huge
  for _, waiting in ipairs({ delayed, parked }) do
    local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
    if first[2] then due = math.min(due, number(first[2])) end
  end
  if due == math.huge then return -1 end
  return math.max(0, due - now)
end

-- Whether `token` is the one under which the job is leased now, by its state and its token.
local function is_current(job, token) return job[1] == 'leased' and job[2] == token end
