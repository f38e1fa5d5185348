#!lua
-- A request becomes a waiting job. The one door in; any Redis client may call it.
--
-- Transitions: enqueue.
-- KEYS  1 ready  2 delayed  3 deadlines  4 counts  5 wake  6 events
-- ARGV  1 prefix of the per-job keys, `{q:<name>}:`
--       2 default time to the deadline, ms
--       then thirteen for each job, at most 500 jobs:
--         id, body (the envelope, at most 128 KiB), format, tenant, priority 0-9, run_at ms
--         (0 = now), deadline ms (0 = default), max_attempts 1-100, idempotency key ('' = none),
--         metadata (JSON object of strings, at most 4 KiB, '' = none), traceparent ('' = none),
--         digest of the request (40 hex digits, '' = made here of the body), webhook (an http(s)
--         address, '' = none)
--       Where no digest is given the body is read here: then the envelope's `webhook` is taken. With a
--       digest the body is any bytes. How it is made: `digest_of`.
--       Numbers are whole, in decimal digits; times lie before the year 10000. Identifier, tenant and
--       key match [A-Za-z0-9][A-Za-z0-9._-]{0,127}.
-- Returns one {status, id, state} a job, in order:
--   created            the job now waits, in `state`
--   duplicate          `id` is the job that already holds this identifier or key, in `state`
--   mismatch           `id` is that job, but its request was another one. Two bodies are the same
--                      request when their bytes are, or the JSON that they hold: order, spaces and
--                      escapes mean nothing, and null, 0 and {} are the same as nothing
--   full               nothing written: Redis is above 75 % of maxmemory
--   deadline-passed    nothing written: the deadline is not after now and run_at
--   invalid            nothing written: `state` is the name of the first value that is not as above
--         or the error INVALID with what is wrong with the call as a whole, nothing written
-- Before: nothing. After: each created job is in exactly one of ready and delayed, and in
-- deadlines; counts.enqueued has grown by the number created. Repeating a call changes nothing.
--
-- All values of all jobs are checked before the first write: Lua rolls nothing back.
-- No allow-oom flag: under noeviction a full Redis refuses new work and keeps serving the old.

local ready, delayed, deadlines, counts, wake, events = unpack(KEYS)
local prefix, default_deadline = ARGV[1], ARGV[2]
local FIELDS, JOBS_A_CALL, FULL_AT, PRESSURE_MS, SOON_MS = 13, 500, 0.75, 100, 2500
-- As in the preamble of the other scripts: what is ready and has longer is found by its rank.
local FOUND_BY_RANK_MS = 24 * 3600 * 1000
-- A text of 16 KiB as JSON, each character escaped, and what stands around it; the end of 9999.
local MAX_BODY, MAX_METADATA, MAX_TIME = 128 * 1024, 4 * 1024, 253402300799999
local MAX_WEBHOOK = 2048

-- Parts of a body that are looked at to tell whether it is the same request.
local NODES = 500

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A whole number as text: Redis itself would write each one as a fraction of 17 digits, at ten times the
-- price.
local function text_of(number) return string.format('%d', number) end

-- Digits alone: `tonumber` also takes nan, inf, 1e300 and 0x5.
local function whole(text, min, max)
  if #text > 15 or not string.find(text, '^%d+$') then return end
  local number = tonumber(text)
  if number >= min and number <= max then return number end
end

local function is_identifier(text)
  return #text <= 128 and string.find(text, '^[A-Za-z0-9][A-Za-z0-9._-]*$') ~= nil
end

local function is_digest(text) return #text == 40 and string.find(text, '^%x+$') ~= nil end

-- What few jobs have is judged by functions that are made for them: Redis makes every other one at each
-- call.
local function fault_of_extras(job)
  local function is_metadata(text)
    if #text > MAX_METADATA or not string.find(text, '^%s*{') then return false end
    local read, object = pcall(cjson.decode, text)
    if not read then return false end
    for _, value in pairs(object) do
      if type(value) ~= 'string' then return false end
    end
    return true
  end
  local function is_trace(text)
    local trace, span = string.match(text, '^00%-([0-9a-f]+)%-([0-9a-f]+)%-[0-9a-f][0-9a-f]$')
    return trace ~= nil and #trace == 32 and #span == 16
  end
  -- An address without user, password and fragment; none at all is none.
  local function is_webhook(text)
    if text == nil or text == cjson.null then return true end
    if type(text) ~= 'string' or #text > MAX_WEBHOOK then return false end
    if string.find(text, '[^!-~]') or string.find(text, '[\\"<>^`{|}#]') then return false end
    local host = string.match(text, '^https?://([%w%[][^/?]*)')
    return host ~= nil and not string.find(host, '@', 1, true)
  end
  if job.metadata ~= '' and not is_metadata(job.metadata) then return 'metadata' end
  if job.traceparent ~= '' and not is_trace(job.traceparent) then return 'traceparent' end
  if job.digest ~= '' and not is_digest(job.digest) then return 'digest' end
  if not is_webhook(job.webhook) then return 'webhook' end
end

-- What is wrong with the call as a whole, when something is.
local function fault_of_call()
  if #KEYS ~= 6 or #ARGV < 2 then return 'number of keys or values' end
  local name = string.match(prefix, '^{q:(.*)}:$')
  if not name or not is_identifier(name) then return 'prefix' end
  local words = { 'ready', 'delayed', 'deadlines', 'counts', 'wake', 'events' }
  for at, word in ipairs(words) do
    if KEYS[at] ~= prefix .. word then return 'key ' .. at end
  end
  if not whole(default_deadline, 1, MAX_TIME) then return 'default deadline' end
  local values = #ARGV - 2
  if values % FIELDS ~= 0 or values > FIELDS * JOBS_A_CALL then return 'number of values' end
end

-- Format, tenant, priority, times and attempts: the same for most jobs of a call, so that they are judged
-- anew only where they differ from those of the job before.
local terms = {}

local function fault_of_terms(one)
  if one.format ~= 'audio' and one.format ~= 'video' then return 'format' end
  if not is_identifier(one.tenant) then return 'tenant' end
  if not one.priority then return 'priority' end
  if not one.run_at then return 'run_at' end
  if not one.deadline then return 'deadline' end
  if not one.max_attempts then return 'max_attempts' end
end

local function terms_of(format, tenant, priority, run_at, deadline, max_attempts)
  local is_same = terms.format == format and terms.tenant == tenant and
    terms.asked_priority == priority and terms.asked_run_at == run_at and
    terms.asked_deadline == deadline and terms.asked_attempts == max_attempts
  if is_same then return terms end
  terms = {
    format = format, tenant = tenant, asked_priority = priority, asked_run_at = run_at,
    asked_deadline = deadline, asked_attempts = max_attempts, priority = whole(priority, 0, 9),
    run_at = whole(run_at, 0, MAX_TIME), deadline = whole(deadline, 0, MAX_TIME),
    max_attempts = whole(max_attempts, 1, 100),
    -- What is found below; a table that grows is made anew as often as it doubles.
    begin = 0, length = 0, state = '', begin_text = false, deadline_text = false, length_text = false,
    attempts_text = false, priority_text = false, rank_text = false, fault = false,
  }
  terms.fault = fault_of_terms(terms)
  if terms.fault then return terms end
  terms.begin = math.max(now, terms.run_at)
  if terms.deadline == 0 then terms.deadline = terms.begin + default_deadline end
  terms.length = terms.deadline - terms.begin
  terms.state = terms.begin > now and 'delayed' or 'ready'
  return terms
end

-- The name of the first value that cannot be.
local function fault_of(job)
  if not is_identifier(job.id) then return 'id' end
  if #job.body == 0 or #job.body > MAX_BODY then return 'body' end
  if job.terms.fault then return job.terms.fault end
  local key = job.idempotency_key
  if key ~= '' and not is_identifier(key) then return 'idempotency_key' end
  local has_no_extras = job.metadata == '' and job.traceparent == '' and job.webhook == nil
  if not (has_no_extras and is_digest(job.digest)) then return fault_of_extras(job) end
end

-- The job whose values begin at `first`; `fault` is the name of the first that cannot be.
local function read_job(first)
  local job = {
    id = ARGV[first], body = ARGV[first + 1], terms = terms_of(unpack(ARGV, first + 2, first + 7)),
    idempotency_key = ARGV[first + 8], metadata = ARGV[first + 9], traceparent = ARGV[first + 10],
    digest = ARGV[first + 11], webhook = ARGV[first + 12] ~= '' and ARGV[first + 12] or nil,
    envelope = false, fault = false, key = false, idem = false, state = false,
  }
  if job.digest == '' then
    local read, envelope = pcall(cjson.decode, #job.body <= MAX_BODY and job.body or '')
    job.envelope = read and type(envelope) == 'table' and envelope
    if job.envelope then job.webhook = job.envelope.webhook end
  end
  job.fault = fault_of(job)
  job.key = prefix .. 'job:' .. job.id
  if job.idempotency_key ~= '' then
    job.idem = prefix .. 'idem:' .. job.terms.tenant .. '/' .. job.idempotency_key
  end
  return job
end

local wrong = fault_of_call()
if wrong then return redis.error_reply('INVALID ' .. wrong) end
default_deadline = tonumber(default_deadline)
local jobs = {}
for first = 3, #ARGV, FIELDS do jobs[#jobs + 1] = read_job(first) end

-- What all jobs of a queue share: the clock by which they are ranked, how many there ever were, and the
-- latest verdict on Redis' memory.
local kept = redis.call('HMGET', counts, 'rank_ms', 'rank_ahead_ms', 'enqueued', 'full_ms')

-- Reading INFO costs more than an enqueue, so its verdict is kept for a moment: when it was found, below
-- zero if Redis was full. A user who may not read it goes by the verdict of others, and by Redis' own
-- refusal at the brim. Answers a new verdict, too.
local function is_full()
  local found = tonumber(kept[4] or 0)
  local age = now - math.abs(found)
  if age >= 0 and age < PRESSURE_MS then return found < 0 end
  local known, may = pcall(redis.acl_check_cmd, 'INFO', 'memory')
  if not (known and may) then return false end
  local info = redis.call('INFO', 'memory')
  local used = tonumber(string.match(info, 'used_memory:(%d+)'))
  local limit = tonumber(string.match(info, 'maxmemory:(%d+)'))
  local full = limit > 0 and used > limit * FULL_AT
  return full, full and -now or now
end

-- The digest of what a body says: of one text for all ways to write the same JSON, in which names are
-- sorted by their bytes, whatever language the server is set to. One that is no JSON, or larger than any
-- envelope, is its bytes.
local function digest_of(body, value)
  local left = NODES
  local function by_bytes(one, other)
    for at = 1, math.min(#one, #other) do
      local byte, against = string.byte(one, at), string.byte(other, at)
      if byte ~= against then return byte < against end
    end
    return #one < #other
  end
  local before = not ('B' < 'a' and 'a_b' < 'aab') and by_bytes or nil
  -- nil for what means nothing. `left` bounds the work.
  local function said(value)
    left = left - 1
    local kind = type(value)
    if kind == 'string' then return 's' .. #value .. ':' .. value end
    if kind == 'boolean' then return 'b' .. tostring(value) end
    if kind == 'number' then return value ~= 0 and string.format('n%.17g', value) or nil end
    if kind ~= 'table' or left <= 0 then return end
    local parts, names = {}, {}
    if #value > 0 then
      for at = 1, math.min(#value, left) do parts[at] = said(value[at]) or '-' end
      return 'a' .. #value .. table.concat(parts)
    end
    for name in pairs(value) do
      left = left - 1
      names[#names + 1] = name
    end
    if left <= 0 then return end
    table.sort(names, before)
    for _, name in ipairs(names) do
      local text = said(value[name])
      if text then parts[#parts + 1] = said(name) .. text end
    end
    return #parts > 0 and 'o' .. #parts .. table.concat(parts) or nil
  end
  local text = value and said(value)
  return redis.sha1hex(text and left > 0 and text or body)
end

-- The clock by which jobs are ranked: where Redis' own was set back, it goes on from the last rank that
-- was given. Answers its time, how far it is ahead, and how many jobs were ever enqueued.
local function rank_clock()
  local last, ahead = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
  if now + ahead < last then ahead = last + 1 - now end
  return now + ahead, ahead, tonumber(kept[3] or 0)
end

-- Jobs that this call will create, by identifier and by key: a later one of the call may be the same.
local new_by_id, new_by_key = {}, {}

-- `unpack` stays below 500.
local function in_parts(list, call)
  for first = 1, #list, 400 do call(unpack(list, first, math.min(first + 399, #list))) end
end

-- Whether any of the identifiers and keys is taken: mostly none is, and then nothing has to be read.
local function is_any_known()
  local keys, known = {}, 0
  for _, job in ipairs(jobs) do
    if not job.fault then
      keys[#keys + 1] = job.key
      if job.idem then keys[#keys + 1] = job.idem end
    end
  end
  in_parts(keys, function(...) known = known + redis.call('EXISTS', ...) end)
  return known > 0
end

-- The job that stands for this request already, by its identifier or by its key, and whether it asks for
-- the same. An old client's script left the digest of the bytes alone.
local function judge_existing(job)
  local function known(id)
    if new_by_id[id] then return new_by_id[id] end
    local record = redis.call('HMGET', prefix .. 'job:' .. id, 'state', 'body_sha1', 'request_sha1')
    if record[1] then
      return { id = id, state = record[1], bytes = record[2], digest = record[3] }
    end
  end
  local function by_key()
    if not job.idem then return end
    if new_by_key[job.idem] then return new_by_key[job.idem] end
    local owner = redis.call('GET', job.idem)
    return owner and known(owner)
  end
  local function is_same(owner)
    if owner.digest then return owner.digest == job.digest end
    if owner.bytes == redis.sha1hex(job.body) then return true end
    local body = redis.call('GET', prefix .. 'body:' .. owner.id)
    if not body then return false end
    local read, envelope = pcall(cjson.decode, body)
    return digest_of(body, read and type(envelope) == 'table' and envelope) == job.digest
  end
  local owner = known(job.id) or by_key()
  return owner, owner and is_same(owner)
end

-- The answer to one job; one that is to be created is `created` and noted. Writes nothing.
local function admit(job, full, any_known)
  if job.fault then return { 'invalid', job.id, job.fault } end
  if job.digest == '' then job.digest = digest_of(job.body, job.envelope) end
  if any_known or new_by_id[job.id] or new_by_key[job.idem or ''] then
    local owner, is_same = judge_existing(job)
    if owner then return { is_same and 'duplicate' or 'mismatch', owner.id, owner.state } end
  end
  if full then return { 'full', job.id, '' } end
  if job.terms.length <= 0 then return { 'deadline-passed', job.id, '' } end
  job.state, new_by_id[job.id] = job.terms.state, job
  if job.idem then new_by_key[job.idem] = job end
  return { 'created', job.id, job.state }
end

-- What the call adds to the indexes and stores, and says on the channel: each in one command for all of
-- its jobs.
local to_ready, to_delayed, to_deadlines, to_store, words = {}, {}, {}, {}, {}

local function add(list, one, other)
  list[#list + 1] = one
  list[#list + 1] = other
end

-- What the record of a job holds beside its terms.
local function fields_of(job, rank_ms, ahead)
  local fields = {}
  if job.state == 'ready' and ahead > 0 then add(fields, 'rank_ms', text_of(rank_ms)) end
  for _, name in ipairs({ 'idempotency_key', 'metadata', 'traceparent' }) do
    if job[name] ~= '' then add(fields, name, job[name]) end
  end
  if type(job.webhook) == 'string' then add(fields, 'webhook', job.webhook) end
  return fields
end

local now_text = text_of(now)

-- The terms as they are stored: once, for all jobs that have them.
local function write_terms(one, rank_ms)
  one.begin_text = one.begin == now and now_text or text_of(one.begin)
  one.deadline_text, one.length_text = text_of(one.deadline), text_of(one.length)
  one.attempts_text, one.priority_text = text_of(one.max_attempts), text_of(one.priority)
  one.rank_text = text_of(rank_ms - 60000 * one.priority)
end

local function create(job, rank_ms, ahead)
  local one = job.terms
  if not one.rank_text then write_terms(one, rank_ms) end
  redis.call('HSET', job.key, 'state', job.state, 'format', one.format, 'tenant', one.tenant,
    'priority', one.priority_text, 'enqueued_ms', now_text, 'ready_ms', one.begin_text,
    'deadline_ms', one.deadline_text, 'deadline_len_ms', one.length_text,
    'max_attempts', one.attempts_text, 'request_sha1', job.digest, unpack(fields_of(job, rank_ms, ahead)))
  add(to_store, prefix .. 'body:' .. job.id, job.body)
  if job.idem then add(to_store, job.idem, job.id) end
  if job.state == 'ready' then
    add(to_ready, one.rank_text, job.id)
  else
    add(to_delayed, one.begin_text, job.id)
  end
  if job.state == 'delayed' or one.length < FOUND_BY_RANK_MS then
    add(to_deadlines, one.deadline_text, job.id)
  end
  words[#words + 1] = job.id .. ':' .. job.state
end

local full, verdict = is_full()
if verdict then redis.call('HSET', counts, 'full_ms', text_of(verdict)) end
local answers, soonest = {}, math.huge
local rank_ms, ahead, enqueued = rank_clock()
local any_known = is_any_known()
for at, job in ipairs(jobs) do answers[at] = admit(job, full, any_known) end
for _, job in ipairs(jobs) do
  if job.state then
    create(job, rank_ms, ahead)
    soonest = math.min(soonest, job.terms.begin)
  end
end

if #words > 0 then
  in_parts(to_store, function(...) redis.call('MSET', ...) end)
  in_parts(to_ready, function(...) redis.call('ZADD', ready, ...) end)
  in_parts(to_delayed, function(...) redis.call('ZADD', delayed, ...) end)
  in_parts(to_deadlines, function(...) redis.call('ZADD', deadlines, ...) end)
  redis.call('HSET', counts, 'enqueued', text_of(enqueued + #words), 'rank_ms', text_of(rank_ms))
  if ahead > 0 then redis.call('HSET', counts, 'rank_ahead_ms', text_of(ahead)) end
  redis.call('PUBLISH', events, table.concat(words, '\n'))
  -- Idle workers look again every 2.9 s at the latest: later work need not wake them.
  if soonest <= now + SOON_MS then redis.call('ZADD', wake, 0, '1') end
end
return answers
