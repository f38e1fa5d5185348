-- The best-ranked ready job goes to a worker that has a free slot.
--
-- Transitions: claim, promote, unpark, expire.
-- ARGV  2 worker  3 nonce  4 lease ms  5 jobs that the worker holds now
-- Returns {'job', id, token, body, remaining ms to the deadline, next due ms, then the pairs of
--          the job's hash}, or {word, next due ms}: `empty` or `paused`.
-- Before: the caller holds a free slot. After: the job is leased under `fence:nonce`, its fence
-- grown by one. Repeating a nonce returns the same job while that token is leased and prolongs
-- nothing, so a lost reply leases to nobody.

-- Jobs of several kinds are touched on the way to one: due, woken, landed, and expired.
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

-- The first job that may still run; what may not is ended on the way.
local function runnable_head()
  for _ = 1, OF_A_KIND do
    local id = redis.call('ZRANGE', ready, 0, 0)[1]
    if not id then return end
    local job = get(id, 'state', 'deadline_ms')
    if job[1] == 'ready' and number(job[2]) > now then return id end
    redis.call('ZREM', ready, id)
    if job[1] == 'ready' then
      drop_flights(id)
      finish(id, 'expired')
    end
  end
  -- There may be more behind them: whoever is woken goes on.
  wake_worker()
end

local function lease(id)
  redis.call('ZREM', ready, id)
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

local id = runnable_head()
if not id then return { 'empty', due } end
lease(id)
-- One marker wakes one worker, so whoever was woken wakes the next while there is something to do.
if redis.call('ZCARD', ready) > 0 then wake_worker() end
return answer_job(id, due)
