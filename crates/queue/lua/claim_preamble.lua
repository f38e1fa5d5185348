-- The way into a lease, for `claim` and `exchange`. In parts, as the preamble.
--
-- KEYS  those that the parts name

-- Jobs of several kinds are touched on the way: due, woken, landed, expired, and claimed.
local OF_A_KIND = JOBS_A_SCRIPT / 5

-- Who claims, and how much, from `at` on:
--   worker  nonce  lease ms  jobs that the worker holds now  its free slots, 1 to 500
local function claim_at(at)
  local claim = {
    worker = name_at(at, 'worker'), nonce = name_at(at + 1, 'nonce'),
    lease_ms = whole(at + 2, 'lease', MAX_SPAN), held = whole(at + 3, 'held', MAX_SPAN),
    free = whole(at + 4, 'free slots', 500),
  }
  if claim.free == 0 then refuse('free slots') end
  claim.lease_text = text_of(claim.lease_ms)
  return claim
end

-- As a claim answers it; its request is put in last.
local function answer_job(id, token, deadline, pairs, body)
  return { id, token, body or '', number(deadline) - now, pairs }
end

-- Those of an earlier claim that are leased under it still.
local function claimed_again(line, nonce)
  local answer = {}
  each_claimed(line, function(id, claim)
    if claim ~= nonce then return end
    local job = get(id, 'state', 'token', 'deadline_ms')
    if job[1] == 'leased' and string.match(job[2], '^%d+:(.*)$') == nonce then
      local pairs, body = redis.call('HGETALL', job_key(id)), redis.call('GET', body_key(id))
      answer[#answer + 1] = answer_job(id, job[2], job[3], pairs, body)
    end
  end)
  return answer
end

-- What is due becomes ready. Answers ms until the next is due, and whether the queue is paused.
local function look_for_due()
  local due = next_due()
  if due == 0 then
    promote_due(OF_A_KIND)
    due = next_due()
  end
  wake_landed(OF_A_KIND)
  return due, redis.call('EXISTS', paused) == 1
end

-- How many this worker may take of what is ready: its share among the workers.
local function fair_share(free, fleet)
  if free == 1 or fleet < 2 then return math.min(free, OF_A_KIND) end
  local fair = math.ceil(redis.call('ZCARD', ready) / fleet)
  return math.max(1, math.min(free, fair, OF_A_KIND))
end

-- The job is leased by its hash; what the claim does to the indexes it does to all of its jobs at once.
-- What no lease has touched is as its producer has sent it, so that an attempt needs few fields of it:
-- each one that is read and answered has its price.
local function lease_job(claim, id, job)
  local key, fence = job_key(id), text_of(number(job[3]) + 1)
  local token, pairs = fence .. ':' .. claim.nonce, nil
  if job[3] then
    pairs = redis.call('HGETALL', job_key(id))
  else
    pairs = { 'tenant', job[5] or '', 'ready_ms', job[6] or '', job[7] and 'traceparent', job[7] or nil }
  end
  redis.call('HSET', key, 'state', 'leased', 'token', token, 'worker', claim.worker,
    'lease_ms', claim.lease_text, 'fence', fence, 'revision', text_of(number(job[4]) + 1))
  return answer_job(id, token, job[2], pairs)
end

-- The best-ranked jobs that may still run, leased, at most `most`; what may not is ended on the way.
-- Answers too whether others may be ready still.
local function take_ready(claim, most)
  local jobs, ids = {}, {}
  for _ = 1, OF_A_KIND do
    local wanted = most - #ids
    local first = redis.call('ZPOPMIN', ready, wanted)
    for place = 1, #first, 2 do
      local id = first[place]
      local job = get(id, 'state', 'deadline_ms', 'fence', 'revision', 'tenant', 'ready_ms', 'traceparent')
      if job[1] == 'ready' and number(job[2]) > now then
        ids[#ids + 1] = id
        jobs[#jobs + 1] = lease_job(claim, id, job)
      elseif job[1] == 'ready' then
        redis.call('ZREM', deadlines, id)
        drop_flights(id)
        finish(id, 'expired')
      end
    end
    if #first < 2 * wanted then return jobs, ids, false end
    if #ids >= most then break end
  end
  return jobs, ids, true
end

-- What was taken is in `leased`, its requests are in the answer, and the worker's line names the claim.
local function enter_leases(claim, line, jobs, ids, words)
  local leases, bodies, ends = {}, {}, text_of(now + claim.lease_ms)
  for at, id in ipairs(ids) do
    leases[2 * at - 1], leases[2 * at] = ends, id
    bodies[at], words[#words + 1] = body_key(id), id .. ':leased'
  end
  redis.call('ZADD', leased, unpack(leases))
  bodies = redis.call('MGET', unpack(bodies))
  for at, job in ipairs(jobs) do job[3] = bodies[at] or '' end
  line.nonces = add_claim(claim.nonce, line.nonces)
  line.ids = add_claim(table.concat(ids, ','), line.ids)
  line.standing = string.gsub(
    line.standing, '^(%d+)|%d+', '%1|' .. text_of(claim.held + #ids)
  )
  write_worker(claim.worker, line)
end

-- The claim whole; its answer is that of the verb. What it has done to which job is added to `words`.
local function claim_jobs(claim, words)
  local line = worker_line(claim.worker)
  if string.find(line.nonces, claim.nonce, 1, true) then
    local again = claimed_again(line, claim.nonce)
    if #again > 0 then return { 'jobs', next_due(), unpack(again) } end
  end
  -- One look for all that is rare.
  local due, is_paused = -1, false
  local rare = redis.call('EXISTS', delayed, parked, landed, paused, deadlines) > 0
  if rare then
    due, is_paused = look_for_due()
    if is_paused then return { 'paused', due } end
  end
  -- Reports of the same call may have left no room: the next claim is due at once.
  if room <= 0 then return { 'empty', 0 } end
  local fleet = redis.call('HLEN', workers)
  local most = math.min(room, fair_share(claim.free, fleet))
  local jobs, ids, are_more = take_ready(claim, most)
  -- One marker wakes one worker, so whoever was woken wakes the next while there is something to do.
  if are_more and redis.call('EXISTS', ready) == 1 then wake_worker() end
  if #ids == 0 then return { 'empty', due } end
  if rare then redis.call('ZREM', deadlines, unpack(ids)) end
  enter_leases(claim, line, jobs, ids, words)
  return { 'jobs', due, unpack(jobs) }
end

-- What a call has done to which job, in one message.
local function publish(words)
  if #words > 0 then redis.call('PUBLISH', events, table.concat(words, '\n')) end
end
