#!lua
-- A request becomes a waiting job. The one door in; any Redis client may call it.
--
-- Transitions: enqueue.
-- KEYS  1 ready  2 delayed  3 deadlines  4 counts  5 wake  6 events
-- ARGV  1 prefix of the per-job keys, `{q:<name>}:`
--       2 default time to the deadline, ms
--       then five for each job, at most 500 jobs:
--         id
--         body: the envelope, at most 128 KiB
--         digest of the request: 40 hex digits, '' = made here of the body
--         terms, a line each: format, tenant, priority 0-9, run_at ms (0 = now), deadline ms
--           (0 = default), max_attempts 1-100
--         extras, '' = none, or a line each: idempotency key, traceparent, webhook (an http(s)
--           address), metadata (JSON object of strings, at most 4 KiB); an empty line is none
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
local FIRST, FIELDS, JOBS_A_CALL = 3, 5, 500
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
local now_text = string.format('%d', now)

-- Digits alone: `tonumber` also takes nan, inf, 1e300 and 0x5. Most numbers have one, which is read for less.
local function whole(text, min, max)
  local number
  if #text == 1 then
    number = string.byte(text) - 48
    if number < 0 or number > 9 then return end
  else
    if #text > 15 or not string.find(text, '^%d+$') then return end
    number = tonumber(text)
  end
  if number >= min and number <= max then return number end
end

-- What is wrong with the call as a whole, when something is.
local wrong
if #KEYS ~= 6 or #ARGV < 2 then
  wrong = 'number of keys or values'
else
  local values = #ARGV - 2
  if #prefix > 133 or not find(prefix, '^{q:[a-z0-9A-Z][a-z0-9A-Z._-]*}:$') then
    wrong = 'prefix'
  elseif not whole(default_deadline, 1, MAX_TIME) then
    wrong = 'default deadline'
  elseif values % FIELDS ~= 0 or values > FIELDS * JOBS_A_CALL then
    wrong = 'number of values'
  end
  -- All at once: each name that is made costs as much as a command.
  local named = prefix .. 'ready ' .. prefix .. 'delayed ' .. prefix .. 'deadlines ' .. prefix .. 'counts ' ..
    prefix .. 'wake ' .. prefix .. 'events'
  if table.concat(KEYS, ' ') ~= named then wrong = wrong or 'keys' end
end
if wrong then return redis.error_reply('INVALID ' .. wrong) end

-- What few jobs have: the name of the first value that cannot be, and the values. Where the producer has not
-- digested the body, it is read here, and what is found takes the place of the values that were not given.
local function extras_of(body, digest, text)
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
  local key, trace, webhook, metadata = '', '', '', ''
  if text ~= '' then
    key, trace, webhook, metadata = string.match(text, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
    if not key then return 'extras' end
  end
  local envelope
  webhook = webhook ~= '' and webhook or nil
  if digest == '' then
    local read, value = pcall(cjson.decode, body)
    if read and type(value) == 'table' then envelope, webhook = value, value.webhook end
  end
  if digest ~= '' and (#digest ~= 40 or not find(digest, '^%x+$')) then return 'digest' end
  if key ~= '' and (#key > 128 or not find(key, IDENTIFIER)) then return 'idempotency_key' end
  if trace ~= '' and not is_trace(trace) then return 'traceparent' end
  if not is_webhook(webhook) then return 'webhook' end
  if metadata ~= '' and not is_metadata(metadata) then return 'metadata' end
  webhook = type(webhook) == 'string' and webhook or ''
  return nil, {
    envelope = envelope, key = key ~= '' and key,
    fields = { idempotency_key = key, metadata = metadata, traceparent = trace, webhook = webhook },
  }
end

local default_text = default_deadline
default_deadline = tonumber(default_deadline)
-- Format, tenant, priority, times and attempts, as they are stored, by their text: most jobs of a call have
-- the same.
local answers, extras, terms = {}, {}, {}
for at = 1, (#ARGV - 2) / FIELDS do
  local first = FIRST + FIELDS * (at - 1)
  local id, body, digest, text = ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 3]
  local one = terms[text]
  if not one then
    local format, tenant, priority, run_at, deadline, attempts =
      string.match(text, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)$')
    local max_attempts
    if format then
      priority, run_at = whole(priority, 0, 9), whole(run_at, 0, MAX_TIME)
      deadline, max_attempts = whole(deadline, 0, MAX_TIME), whole(attempts, 1, 100)
    end
    if not format then
      one = { fault = 'terms' }
    elseif format ~= 'audio' and format ~= 'video' then
      one = { fault = 'format' }
    elseif #tenant > 128 or not find(tenant, IDENTIFIER) then
      one = { fault = 'tenant' }
    elseif not (priority and run_at and deadline and max_attempts) then
      one = { fault = not priority and 'priority' or not run_at and 'run_at' or
        not deadline and 'deadline' or 'max_attempts' }
    else
      local begin, length = run_at > now and run_at or now, default_deadline
      if deadline > 0 then length = deadline - begin end
      local is_default = deadline == 0 and string.byte(default_text) ~= 48
      -- Numbers as text, since Redis itself would write each one as a fraction of 17 digits, at ten times the
      -- price; as they came, where that is how they are written.
      one = {
        format = format, tenant = tenant, state = begin > now and 'delayed' or 'ready',
        begin = begin, length = length, rank = 60000 * priority,
        priority_text = string.sub('0123456789', priority + 1, priority + 1),
        attempts_text = #attempts == 1 and attempts or text_of('%d', max_attempts),
        begin_text = begin > now and text_of('%d', begin) or now_text,
        deadline_text = text_of('%d', begin + length),
        length_text = is_default and default_text or text_of('%d', length),
      }
    end
    terms[text] = one
  end
  local fault = one.fault
  if #id > 128 or not find(id, IDENTIFIER) then
    fault = 'id'
  elseif #body == 0 or #body > MAX_BODY then
    fault = 'body'
  elseif not fault and not (ARGV[first + 4] == '' and #digest == 40 and find(digest, '^%x+$')) then
    fault, extras[at] = extras_of(body, digest, ARGV[first + 4])
  end
  if fault then answers[at] = { 'invalid', id, fault } end
end

-- What is rarely needed: how a digest is made, and what is answered for a job that is there.
local function rarely()
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
  return { digest_of = digest_of, answer_known = answer_known }
end

-- What all jobs of a queue share: the clock by which they are ranked, how many there ever were, and the
-- latest verdict on Redis' memory.
local kept = call('HMGET', counts, 'rank_ms', 'rank_ahead_ms', 'enqueued', 'full_ms')

-- Reading INFO costs more than an enqueue, so its verdict is kept for a moment: when it was found, below
-- zero if Redis was full. A user who may not read it goes by the verdict of others, and by Redis' own
-- refusal at the brim.
local found = tonumber(kept[4] or 0)
local full, age = found < 0, now - math.abs(found)
if age < 0 or age >= PRESSURE_MS then
  local asked, may = pcall(redis.acl_check_cmd, 'INFO', 'memory')
  full = false
  if asked and may then
    local info = call('INFO', 'memory')
    local used = tonumber(string.match(info, 'used_memory:(%d+)'))
    local limit = tonumber(string.match(info, 'maxmemory:(%d+)'))
    full = limit > 0 and used > limit * FULL_AT
    call('HSET', counts, 'full_ms', text_of('%d', full and -now or now))
  end
end

-- Where Redis' own clock was set back, that of the ranks goes on from the last one that was given.
local last_rank, ahead = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
if now + ahead < last_rank then ahead = last_rank + 1 - now end

local soonest = math.huge
-- What the call adds to the indexes and stores, and says on the channel: each in one command for all of
-- its jobs.
local to_ready, to_delayed, to_deadlines, bodies, words = {}, {}, {}, {}, {}

-- Each job is created where nothing stands against it.
local rare, is_awake = nil, false
for at = 1, (#ARGV - 2) / FIELDS do
  local first = FIRST + FIELDS * (at - 1)
  local id, body, digest, one = ARGV[first], ARGV[first + 1], ARGV[first + 2], terms[ARGV[first + 3]]
  local extra, answer, key, idem = extras[at], answers[at], prefix .. 'job:' .. id, nil
  if not answer then
    idem = extra and extra.key and prefix .. 'idem:' .. one.tenant .. '/' .. extra.key
    -- One look for the marker, too: who is there counts twice.
    local is_known
    if at == 1 then
      local there = call('EXISTS', wake, key, key, idem or key, idem or key)
      is_awake, is_known = there % 2 == 1, there > 1
    else
      is_known = (idem and call('EXISTS', key, idem) or call('EXISTS', key)) > 0
    end
    if is_known or digest == '' then
      rare = rare or rarely()
      if digest == '' then digest = rare.digest_of(body, extra.envelope) end
      answer = is_known and rare.answer_known(id, idem, body, digest)
    end
    if not answer and full then answer = { 'full', id, '' } end
    if not answer and one.length <= 0 then answer = { 'deadline-passed', id, '' } end
  end
  if not answer then
    answer = { 'created', id, one.state }
    call('HSET', key, 'state', one.state, 'format', one.format, 'tenant', one.tenant,
      'priority', one.priority_text, 'enqueued_ms', now_text, 'ready_ms', one.begin_text,
      'deadline_ms', one.deadline_text, 'deadline_len_ms', one.length_text,
      'max_attempts', one.attempts_text, 'request_sha1', digest)
    if idem then call('SET', idem, id) end
    if extra then
      for name, value in pairs(extra.fields) do
        if value ~= '' then call('HSET', key, name, value) end
      end
    end
    local to = one.state == 'ready' and to_ready or to_delayed
    local last = #to
    to[last + 1], to[last + 2] = one.begin_text, id
    if one.state == 'ready' then
      to[last + 1] = text_of('%d', now + ahead - one.rank)
      if ahead > 0 then call('HSET', key, 'rank_ms', text_of('%d', now + ahead)) end
    end
    if one.state == 'delayed' or one.length < FOUND_BY_RANK_MS then
      last = #to_deadlines
      to_deadlines[last + 1], to_deadlines[last + 2] = one.deadline_text, id
    end
    last = #words
    bodies[2 * last + 1], bodies[2 * last + 2] = prefix .. 'body:' .. id, body
    words[last + 1] = id .. ':' .. one.state
    if one.begin < soonest then soonest = one.begin end
  end
  answers[at] = answer
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
  if not is_awake and soonest <= now + SOON_MS then call('ZADD', wake, 0, '1') end
end
return answers
