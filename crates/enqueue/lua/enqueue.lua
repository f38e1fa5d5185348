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
--
-- Redis makes every function of a script anew at each call. So what most jobs go through is written out,
-- and what is rare has its functions inside the one that asks for it.

local ready, delayed, deadlines, counts, wake, events = unpack(KEYS)
local prefix, default_deadline = ARGV[1], ARGV[2]
local FIRST, FIELDS, JOBS_A_CALL = 3, 13, 500
local FULL_AT, PRESSURE_MS, SOON_MS = 0.75, 100, 2500
-- As in the preamble of the other scripts: what is ready and has longer is found by its rank.
local FOUND_BY_RANK_MS = 24 * 3600 * 1000
-- A text of 16 KiB as JSON, each character escaped, and what stands around it; the end of 9999.
local MAX_BODY, MAX_METADATA, MAX_TIME = 128 * 1024, 4 * 1024, 253402300799999
local MAX_WEBHOOK = 2048
local IDENTIFIER = '^[a-z0-9A-Z][a-z0-9A-Z._-]*$'

-- Parts of a body that are looked at to tell whether it is the same request.
local NODES = 500

local call, find, text_of = redis.call, string.find, string.format
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Digits alone: `tonumber` also takes nan, inf, 1e300 and 0x5.
local function whole(text, min, max)
  if #text > 15 or not find(text, '^%d+$') then return end
  local number = tonumber(text)
  if number >= min and number <= max then return number end
end

-- What is wrong with the call as a whole, when something is.
local function fault_of_call()
  if #KEYS ~= 6 or #ARGV < 2 then return 'number of keys or values' end
  local name = string.match(prefix, '^{q:(.*)}:$')
  if not name or #name > 128 or not find(name, IDENTIFIER) then return 'prefix' end
  local words = { 'ready', 'delayed', 'deadlines', 'counts', 'wake', 'events' }
  for at = 1, 6 do
    if KEYS[at] ~= prefix .. words[at] then return 'key ' .. at end
  end
  if not whole(default_deadline, 1, MAX_TIME) then return 'default deadline' end
  local values = #ARGV - 2
  if values % FIELDS ~= 0 or values > FIELDS * JOBS_A_CALL then return 'number of values' end
end
local wrong = fault_of_call()
if wrong then return redis.error_reply('INVALID ' .. wrong) end

-- Format, tenant, priority, times and attempts of the job whose values begin at `first`, as they are stored:
-- numbers as text, since Redis itself would write each one as a fraction of 17 digits, at ten times the
-- price. The job before, whose terms are `last`, mostly has the same.
local function terms_of(first, last)
  local is_same = last ~= nil
  for at = first + 2, first + 7 do is_same = is_same and ARGV[at] == ARGV[at - FIELDS] end
  if is_same then return last end
  local format, tenant = ARGV[first + 2], ARGV[first + 3]
  local priority, run_at = whole(ARGV[first + 4], 0, 9), whole(ARGV[first + 5], 0, MAX_TIME)
  local deadline = whole(ARGV[first + 6], 0, MAX_TIME)
  local max_attempts = whole(ARGV[first + 7], 1, 100)
  if format ~= 'audio' and format ~= 'video' then return { fault = 'format' } end
  if #tenant > 128 or not find(tenant, IDENTIFIER) then return { fault = 'tenant' } end
  if not priority then return { fault = 'priority' } end
  if not run_at then return { fault = 'run_at' } end
  if not deadline then return { fault = 'deadline' } end
  if not max_attempts then return { fault = 'max_attempts' } end
  local begin = math.max(now, run_at)
  if deadline == 0 then deadline = begin + default_deadline end
  return {
    format = format, tenant = tenant, state = begin > now and 'delayed' or 'ready',
    begin = begin, length = deadline - begin, rank = 60000 * priority,
    priority_text = text_of('%d', priority), attempts_text = text_of('%d', max_attempts),
    begin_text = text_of('%d', begin), deadline_text = text_of('%d', deadline),
    length_text = text_of('%d', deadline - begin),
  }
end

-- What few jobs have: the name of the first value that cannot be. Where the producer has not digested the
-- body, it is read here, and what is found takes the place of the values that were not given.
local function fault_of_extras(first)
  local function is_metadata(text)
    if #text > MAX_METADATA or not find(text, '^%s*{') then return false end
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
    if find(text, '[^!-~]') or find(text, '[\\"<>^`{|}#]') then return false end
    local host = string.match(text, '^https?://([%w%[][^/?]*)')
    return host ~= nil and not find(host, '@', 1, true)
  end
  local digest, webhook = ARGV[first + 11], ARGV[first + 12] ~= '' and ARGV[first + 12] or nil
  local envelope
  if digest == '' then
    local read, value = pcall(cjson.decode, ARGV[first + 1])
    if read and type(value) == 'table' then envelope, webhook = value, value.webhook end
  end
  if ARGV[first + 9] ~= '' and not is_metadata(ARGV[first + 9]) then return 'metadata' end
  if ARGV[first + 10] ~= '' and not is_trace(ARGV[first + 10]) then return 'traceparent' end
  if digest ~= '' and (#digest ~= 40 or not find(digest, '^%x+$')) then return 'digest' end
  if not is_webhook(webhook) then return 'webhook' end
  return nil, { envelope = envelope, webhook = type(webhook) == 'string' and webhook or '' }
end

default_deadline = tonumber(default_deadline)
local answers, terms, extras = {}, {}, {}
for at = 1, (#ARGV - 2) / FIELDS do
  local first = FIRST + FIELDS * (at - 1)
  local id, body, key, digest = ARGV[first], ARGV[first + 1], ARGV[first + 8], ARGV[first + 11]
  terms[at] = terms_of(first, terms[at - 1])
  local fault = terms[at].fault
  if #id > 128 or not find(id, IDENTIFIER) then
    fault = 'id'
  elseif #body == 0 or #body > MAX_BODY then
    fault = 'body'
  elseif not fault and key ~= '' and (#key > 128 or not find(key, IDENTIFIER)) then
    fault = 'idempotency_key'
  elseif not fault then
    local is_plain = ARGV[first + 9] == '' and ARGV[first + 10] == '' and ARGV[first + 12] == ''
    if not (is_plain and #digest == 40 and find(digest, '^%x+$')) then
      fault, extras[at] = fault_of_extras(first)
    end
  end
  if fault then answers[at] = { 'invalid', id, fault } end
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

-- What all jobs of a queue share: the clock by which they are ranked, how many there ever were, and the
-- latest verdict on Redis' memory.
local kept = call('HMGET', counts, 'rank_ms', 'rank_ahead_ms', 'enqueued', 'full_ms')

-- Reading INFO costs more than an enqueue, so its verdict is kept for a moment: when it was found, below
-- zero if Redis was full. A user who may not read it goes by the verdict of others, and by Redis' own
-- refusal at the brim.
local function is_full()
  local found = tonumber(kept[4] or 0)
  local age = now - math.abs(found)
  if age >= 0 and age < PRESSURE_MS then return found < 0 end
  local known, may = pcall(redis.acl_check_cmd, 'INFO', 'memory')
  if not (known and may) then return false end
  local info = call('INFO', 'memory')
  local used = tonumber(string.match(info, 'used_memory:(%d+)'))
  local limit = tonumber(string.match(info, 'maxmemory:(%d+)'))
  local full = limit > 0 and used > limit * FULL_AT
  call('HSET', counts, 'full_ms', text_of('%d', full and -now or now))
  return full
end

-- The answer of a job whose identifier or key is taken, by one of this call or an earlier one; none where
-- who took the key has gone. An old client's script left the digest of the bytes alone.
local function answer_known(id, idem, body, digest)
  local function known(owner)
    local record = call('HMGET', prefix .. 'job:' .. owner, 'state', 'body_sha1', 'request_sha1')
    return record[1] and { id = owner, state = record[1], bytes = record[2], digest = record[3] }
  end
  local function is_same(owner)
    if owner.digest then return owner.digest == digest end
    if owner.bytes == redis.sha1hex(body) then return true end
    local stored = call('GET', prefix .. 'body:' .. owner.id)
    if not stored then return false end
    local read, envelope = pcall(cjson.decode, stored)
    return digest_of(stored, read and type(envelope) == 'table' and envelope) == digest
  end
  local by_key = idem and call('GET', idem)
  local owner = known(id) or by_key and known(by_key)
  return owner and { is_same(owner) and 'duplicate' or 'mismatch', owner.id, owner.state }
end

-- Where Redis' own clock was set back, that of the ranks goes on from the last one that was given.
local last_rank, ahead = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
if now + ahead < last_rank then ahead = last_rank + 1 - now end

local full, now_text, soonest = is_full(), text_of('%d', now), math.huge
-- What the call adds to the indexes and stores, and says on the channel: each in one command for all of
-- its jobs.
local to_ready, to_delayed, to_deadlines, bodies, words = {}, {}, {}, {}, {}

-- Creates the job whose values begin at `first`, where nothing stands against it; its answer.
local function admit(first, one, extra)
  local id, body, digest = ARGV[first], ARGV[first + 1], ARGV[first + 11]
  if digest == '' then digest = digest_of(body, extra.envelope) end
  local key, idem = prefix .. 'job:' .. id, ARGV[first + 8]
  idem = idem ~= '' and prefix .. 'idem:' .. one.tenant .. '/' .. idem
  if (idem and call('EXISTS', key, idem) or call('EXISTS', key)) > 0 then
    local known = answer_known(id, idem, body, digest)
    if known then return known end
  end
  if full then return { 'full', id, '' } end
  if one.length <= 0 then return { 'deadline-passed', id, '' } end
  call('HSET', key, 'state', one.state, 'format', one.format, 'tenant', one.tenant,
    'priority', one.priority_text, 'enqueued_ms', now_text, 'ready_ms', one.begin_text,
    'deadline_ms', one.deadline_text, 'deadline_len_ms', one.length_text,
    'max_attempts', one.attempts_text, 'request_sha1', digest)
  if idem then
    call('HSET', key, 'idempotency_key', ARGV[first + 8])
    call('SET', idem, id)
  end
  if extra then
    local fields = { metadata = ARGV[first + 9], traceparent = ARGV[first + 10], webhook = extra.webhook }
    for name, value in pairs(fields) do
      if value ~= '' then call('HSET', key, name, value) end
    end
  end
  local to = one.state == 'ready' and to_ready or to_delayed
  local at = #to
  to[at + 1], to[at + 2] = one.begin_text, id
  if one.state == 'ready' then
    to[at + 1] = text_of('%d', now + ahead - one.rank)
    if ahead > 0 then call('HSET', key, 'rank_ms', text_of('%d', now + ahead)) end
  end
  if one.state == 'delayed' or one.length < FOUND_BY_RANK_MS then
    at = #to_deadlines
    to_deadlines[at + 1], to_deadlines[at + 2] = one.deadline_text, id
  end
  at = #words
  bodies[2 * at + 1], bodies[2 * at + 2] = prefix .. 'body:' .. id, body
  words[at + 1] = id .. ':' .. one.state
  if one.begin < soonest then soonest = one.begin end
  return { 'created', id, one.state }
end

for at = 1, #terms do
  answers[at] = answers[at] or admit(FIRST + FIELDS * (at - 1), terms[at], extras[at])
end

-- `unpack` stays below 500.
local function in_parts(list, command, key)
  for first = 1, #list, 400 do
    local last = math.min(first + 399, #list)
    if key then
      call(command, key, unpack(list, first, last))
    else
      call(command, unpack(list, first, last))
    end
  end
end

if #words > 0 then
  in_parts(bodies, 'MSET')
  in_parts(to_ready, 'ZADD', ready)
  in_parts(to_delayed, 'ZADD', delayed)
  in_parts(to_deadlines, 'ZADD', deadlines)
  local enqueued = text_of('%d', tonumber(kept[3] or 0) + #words)
  call('HSET', counts, 'enqueued', enqueued, 'rank_ms', text_of('%d', now + ahead))
  if ahead > 0 then call('HSET', counts, 'rank_ahead_ms', text_of('%d', ahead)) end
  call('PUBLISH', events, table.concat(words, '\n'))
  -- Idle workers look again every 2.9 s at the latest: later work need not wake them.
  if soonest <= now + SOON_MS then call('ZADD', wake, 0, '1') end
end
return answers
