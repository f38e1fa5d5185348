-- The best-ranked ready job goes to a worker that has a free slot.
--
-- Transitions: claim, promote, unpark, expire.
-- ARGV  2 worker  3 nonce  4 lease ms  5 jobs that the worker holds now
-- Returns {'job', id, token, body, remaining ms to the deadline, next due ms, then the pairs of
--          the job's hash}, or {word, next due ms}: `empty`, `paused`, or `hold` (this worker has
--          reserved a solo job and claims nothing else until it holds no lease).
-- Before: the caller holds a free slot. After: the job is leased under `fence:nonce`, its fence
-- grown by one. Repeating a nonce returns the same job while that token is leased and prolongs
-- nothing, so a lost reply leases to nobody.

-- Five kinds of jobs are touched on the way to one: due, woken, landed, and expired of both lanes.
local OF_A_KIND = JOBS_A_SCRIPT / 5
local worker, nonce = name_at(2, 'worker'), name_at(3, 'nonce')
local lease_ms, held = whole(4, 'lease', MAX_SPAN), whole(5, 'held', MAX_SPAN)
local line = worker_line(worker)

local function answer_job(id, due)
  local body = redis.call('GET', body_key(id)) or ''
  local job = get(id, 'token', 'deadline_ms')
  local answer = { 'job', id, job[1], body, number(job[2]) - now, due }
  for _, value in ipairs(redis.call('HGETALL', job_key(id))) do answer[#answer + 1] = value end
  return answer
end

if line.nonce == nonce and line.id ~= '' then
  local job = get(line.id, 'state', 'token')
  if job[1] == 'leased' and string.match(job[2], '^%d+:(.*)$') == nonce then
    return answer_job(line.id, next_due())
  end
end

local due = next_due()
if due == 0 then
  promote_due(OF_A_KIND)
  due = next_due()
end
wake_landed(OF_A_KIND)
if redis.call('EXISTS', paused) == 1 then return { 'paused', due } end

local function head(of)
  local first = redis.call('ZRANGE', of, 0, 0, 'WITHSCORES')
  return first[1], number(first[2])
end

-- The first job of an index that may still run; what may not is ended on the way.
local function runnable_head(of)
  for _ = 1, OF_A_KIND do
    local id, rank = head(of)
    if not id then return end
    local job = get(id, 'state', 'deadline_ms')
    if job[1] == 'ready' and number(job[2]) > now then return id, rank end
    redis.call('ZREM', of, id)
    if job[1] == 'ready' then
      drop_flights(id)
      finish(id, 'expired')
    end
  end
  -- There may be more behind them: whoever is woken goes on.
  wake_worker()
end

local function lease(id, from)
  redis.call('ZREM', from, id)
  redis.call('ZREM', deadlines, id)
  local fence = redis.call('HINCRBY', job_key(id), 'fence', 1)
  redis.call('HSET', job_key(id), 'state', 'leased', 'token', fence .. ':' .. nonce,
    'worker', worker, 'lease_ms', lease_ms)
  redis.call('ZADD', leased, now + lease_ms, id)
  line.nonce, line.id = nonce, id
  line.standing = string.gsub(line.standing, '^(%d+)|%d+', '%1|' .. string.format('%.0f', held + 1))
  write_worker(worker, line)
  announce(id, 'leased')
end

-- The reservation of the solo lane: one a queue, void when not prolonged for a lease. While its job
-- runs it stands as long as the lease, whose end takes it away: a stall must not put others beside it.
local function holder()
  local hold = redis.call('HMGET', solo_hold, 'worker', 'until_ms', 'job')
  if hold[1] and (hold[3] or number(hold[2]) > now) then return hold[1] end
  if hold[1] then redis.call('DEL', solo_hold) end
end

-- Returns true when this worker may claim nothing but the solo job.
local function reserve_solo(solo_rank, ready_rank)
  local who = holder()
  if who then return who == worker end
  if not solo_rank or (ready_rank and ready_rank < solo_rank) then return false end
  redis.call('HSET', solo_hold, 'worker', worker)
  return true
end

local ready_id, ready_rank = runnable_head(ready)
local solo_id, solo_rank = runnable_head(solo)

if reserve_solo(solo_rank, ready_rank) then
  local running = redis.call('HGET', solo_hold, 'job')
  if solo_id or running then
    redis.call('HSET', solo_hold, 'until_ms', now + lease_ms)
    if running or held > 0 then
      -- The others go on with what is ready.
      if ready_id then wake_worker() end
      return { 'hold', due }
    end
    redis.call('HSET', solo_hold, 'job', solo_id)
    lease(solo_id, solo)
    if ready_id then wake_worker() end
    return answer_job(solo_id, due)
  end
  redis.call('DEL', solo_hold)
end

if not ready_id then return { 'empty', due } end
lease(ready_id, ready)
-- One marker wakes one worker, so whoever was woken wakes the next while there is something to do.
if redis.call('ZCARD', ready) > 0 or (solo_id and not holder()) then wake_worker() end
return answer_job(ready_id, due)
