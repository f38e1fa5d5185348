-- Who holds leases, and what ends one without its job being delivered. In parts, as the preamble.
--
-- KEYS  those that the parts name

-- `done` beats both; every other way out of `leased` looks first at the cancel flag, then at the
-- deadline.
local function overruled(id)
  local job = get(id, 'cancel', 'deadline_ms')
  if job[1] then return 'cancelled' end
  if number(job[2]) <= now then return 'expired' end
end

-- Into `dead`, for a reason (JSON, '' = the one that is kept).
local function die(id, why)
  if why ~= '' then redis.call('HSET', job_key(id), 'error', why) end
  leave_leased(id)
  finish(id, 'dead')
  return 'dead'
end

-- The process of an attempt that had begun has died: dead once that has happened too often without a
-- checkpoint, else ready for another one.
local function crash(id, limit, why)
  if redis.call('HINCRBY', job_key(id), 'crashes', 1) >= limit then return die(id, why) end
  leave_leased(id)
  make_ready(id)
  return 'ready'
end

-- A stay under a lease that brought no checkpoint. Returns true once there were too many.
local function count_interruption(id, limit)
  redis.call('HINCRBY', job_key(id), 'interruptions', 1)
  return redis.call('HINCRBY', job_key(id), 'stalls', 1) >= limit
end

-- A worker's line in `workers`: seen ms | draining 0/1 | nonces of its latest claims | the jobs of each,
-- and of one that has said so | slots | jobs it holds | lease ms | stage that refuses it, if any | its next
-- probe, ms. The latest claim comes first, with `;` between claims and `,` between jobs.
local function worker_line(name)
  local line = redis.call('HGET', workers, name) or ''
  local parts, from = {}, 1
  -- By plain finds: a pattern looks at each letter of a line that has some thousands.
  for part = 1, 4 do
    local bar = string.find(line, '|', from, true) or #line + 1
    parts[part], from = string.sub(line, from, bar - 1), bar + 1
  end
  return {
    known = string.find(parts[1], '^%d+$') ~= nil, draining = parts[2] == '1', nonces = parts[3],
    ids = parts[4], standing = string.sub(line, from),
  }
end

-- As many claims as a worker may have on their way: an answer that was lost is asked for again.
local function add_claim(first, list)
  if list == '' then return first end
  local last = 0
  for _ = 1, 3 do
    last = string.find(list, ';', last + 1, true)
    if not last then return first .. ';' .. list end
  end
  return first .. ';' .. string.sub(list, 1, last - 1)
end

-- Each job that the worker's latest claims have named, and its claim's nonce.
local function each_claimed(line, visit)
  local groups = string.gmatch(line.ids, '[^;]+')
  for nonce in string.gmatch(line.nonces, '[^;]+') do
    for id in string.gmatch(groups() or '', '[^,]+') do visit(id, nonce) end
  end
end

local function write_worker(name, line)
  local draining = line.draining and '1' or '0'
  local text = table.concat({ text_of(now), draining, line.nonces, line.ids }, '|')
  if line.standing ~= '' then text = text .. '|' .. line.standing end
  redis.call('HSET', workers, name, text)
end
