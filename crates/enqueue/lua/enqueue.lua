#!lua
-- A request becomes a waiting job. The one door in; any Redis client may call it.
--
-- Transitions: enqueue.
-- KEYS  1 ready  2 delayed  3 deadlines  4 counts  5 wake  6 pressure  7 events
-- ARGV  1 prefix of the per-job keys, `{q:<name>}:`
--       2 default time to the deadline, ms
--       then eleven for each job, at most 500 jobs:
--         id, body (the envelope), format, tenant, priority 0-9, run_at ms (0 = now),
--         deadline ms (0 = default), max_attempts, idempotency key ('' = none),
--         metadata (JSON object, '' = none), traceparent ('' = none)
-- Returns one {status, id, state} a job, in order:
--   created            the job now waits, in `state`
--   duplicate          `id` is the job that already holds this identifier or key, in `state`
--   mismatch           `id` is that job, but its request was another one
--   full               nothing written: Redis is above 75 % of maxmemory
--   deadline-passed    nothing written: the deadline is not after now and run_at
-- Before: nothing. After: each created job is in exactly one of ready and delayed, and in
-- deadlines; counts.enqueued has grown by the number created. Repeating a call changes nothing.
--
-- No allow-oom flag: under noeviction a full Redis refuses new work and keeps serving the old.

local ready, delayed, deadlines, counts, wake, pressure, events = unpack(KEYS)
local prefix, default_deadline = ARGV[1], tonumber(ARGV[2])
local FIELDS, FULL_AT, PRESSURE_MS, SOON_MS = 11, 0.75, 100, 2000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Reading INFO costs more than an enqueue, so its verdict is kept for a moment. A user who may not
-- read it goes by the verdict of others, and by Redis' own refusal at the brim.
local function is_full()
  local verdict = redis.call('GET', pressure)
  if verdict then return verdict == 'full' end
  local known, may = pcall(redis.acl_check_cmd, 'INFO', 'memory')
  if not (known and may) then return false end
  local info = redis.call('INFO', 'memory')
  local used = tonumber(string.match(info, 'used_memory:(%d+)'))
  local limit = tonumber(string.match(info, 'maxmemory:(%d+)'))
  local full = limit > 0 and used > limit * FULL_AT
  redis.call('SET', pressure, full and 'full' or 'free', 'PX', PRESSURE_MS)
  return full
end

-- The job that already stands for this request, if its record lives.
local function existing(id, idem)
  if redis.call('EXISTS', prefix .. 'job:' .. id) == 1 then return id end
  local owner = idem and redis.call('GET', idem)
  if owner and redis.call('EXISTS', prefix .. 'job:' .. owner) == 1 then return owner end
end

local function answer_existing(id, digest)
  local known = redis.call('HMGET', prefix .. 'job:' .. id, 'state', 'body_sha1')
  return { known[2] == digest and 'duplicate' or 'mismatch', id, known[1] }
end

local function create(job, idem, digest, begin, deadline)
  local waiting = begin > now and 'delayed' or 'ready'
  local fields = {
    'state', waiting, 'format', job.format, 'tenant', job.tenant, 'priority', job.priority,
    'enqueued_ms', now, 'ready_ms', begin, 'deadline_ms', deadline,
    'deadline_len_ms', deadline - begin, 'max_attempts', job.max_attempts, 'body_sha1', digest,
  }
  for _, name in ipairs({ 'idempotency_key', 'metadata', 'traceparent' }) do
    if job[name] ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = job[name]
    end
  end
  redis.call('HSET', prefix .. 'job:' .. job.id, unpack(fields))
  redis.call('SET', prefix .. 'body:' .. job.id, job.body)
  if idem then redis.call('SET', idem, job.id) end
  if waiting == 'ready' then
    redis.call('ZADD', ready, begin - 60000 * job.priority, job.id)
  else
    redis.call('ZADD', delayed, begin, job.id)
  end
  redis.call('ZADD', deadlines, deadline, job.id)
  redis.call('PUBLISH', events, job.id .. ':' .. waiting)
  return { 'created', job.id, waiting }
end

local full = is_full()
local answers, created, soonest = {}, 0, math.huge

for first = 3, #ARGV, FIELDS do
  local job = {
    id = ARGV[first], body = ARGV[first + 1], format = ARGV[first + 2], tenant = ARGV[first + 3],
    priority = tonumber(ARGV[first + 4]), run_at = tonumber(ARGV[first + 5]),
    deadline = tonumber(ARGV[first + 6]), max_attempts = tonumber(ARGV[first + 7]),
    idempotency_key = ARGV[first + 8], metadata = ARGV[first + 9], traceparent = ARGV[first + 10],
  }
  local idem = job.idempotency_key ~= '' and
    prefix .. 'idem:' .. job.tenant .. '/' .. job.idempotency_key
  local digest = redis.sha1hex(job.body)
  local begin = math.max(now, job.run_at)
  local deadline = job.deadline > 0 and job.deadline or begin + default_deadline
  local owner = existing(job.id, idem)
  local answer
  if owner then
    answer = answer_existing(owner, digest)
  elseif full then
    answer = { 'full', job.id, '' }
  elseif deadline <= begin then
    answer = { 'deadline-passed', job.id, '' }
  else
    answer = create(job, idem, digest, begin, deadline)
    created = created + 1
    soonest = math.min(soonest, begin)
  end
  answers[#answers + 1] = answer
end

if created > 0 then
  redis.call('HINCRBY', counts, 'enqueued', created)
  -- Idle workers look again every two seconds at the latest: later work need not wake them.
  if soonest <= now + SOON_MS then redis.call('ZADD', wake, 0, '1') end
end
return answers
