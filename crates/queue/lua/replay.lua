-- A person sends a dead job round again; its checkpoints stay, but for those that are to be made anew.
--
-- Transitions: replay.
-- KEYS  ready dead deadlines counts wake trash events audit
-- ARGV  2 id  3 by  4 interface  5 why
--       and nothing more, or
--       6 the first stage that is made anew  7 the request as the caller knows it  8 the request that
--       takes its place, at most 128 KiB ('' both: it stays)  9 what that changes, in words, 1 to 500 bytes
-- Returns {'ready'}, {'not-dead', state}, {'unknown'}, {'body-gone'}, {'duplicate', id of the job that
--         now holds the idempotency key} or {'changed'}: the request is not the one that the caller
--         knows. What is ready has its line in the audit, with what was changed.

-- The checkpoints of each stage and of what is built on it, by the beginnings of their names. A picture
-- needs no words, and every file is made of all of them.
local REMADE = {
  collection = { '' },
  transcript = { 'transcript', 'tts', 'passage-', 'delivery' },
  tts = { 'tts', 'passage-', 'delivery' },
  image = { 'image', 'delivery' },
  encode = { 'delivery' },
  upload = { 'delivery' },
}
local MAX_BODY = 128 * 1024

local function remake_at(at)
  local known, request = ARGV[at + 1] or '', ARGV[at + 2] or ''
  if #ARGV ~= at + 3 then refuse('number of values') end
  if not REMADE[ARGV[at]] then refuse('stage') end
  if (known == '') ~= (request == '') or #request > MAX_BODY then refuse('request') end
  return { from = ARGV[at], known = known, request = request, changes = text_at(at + 3, 'changes', 1, 500) }
end

local function drop_checkpoints(id, from)
  local fields = redis.call('HGETALL', job_key(id))
  for at = 1, #fields, 2 do
    for _, name in ipairs(REMADE[from]) do
      local begin = 'checkpoint:' .. name
      if string.sub(fields[at], 1, #begin) == begin then redis.call('HDEL', job_key(id), fields[at]) end
    end
  end
  if from == 'collection' or from == 'transcript' then redis.call('DEL', transcript_key(id)) end
end

local id, who, remake = ARGV[2], actor(), ARGV[6] and remake_at(6)
local job = get(id, 'state', 'tenant', 'idempotency_key', 'deadline_len_ms', 'deadline_ms', 'ready_ms',
  'enqueued_ms')
if not job[1] then return { 'unknown' } end
if job[1] ~= 'dead' then return { 'not-dead', job[1] } end
local body = redis.call('GET', body_key(id))
if not body then return { 'body-gone' } end
local idem = job[3] and prefix .. 'idem:' .. job[2] .. '/' .. job[3]
local owner = idem and redis.call('GET', idem)
if owner and owner ~= id then return { 'duplicate', owner } end
if remake and remake.known ~= '' and remake.known ~= body then return { 'changed' } end

redis.call('ZREM', dead, id)
redis.call('ZREM', trash, job[2] .. '/' .. id)
redis.call('PERSIST', body_key(id))
if remake then
  drop_checkpoints(id, remake.from)
  if remake.request ~= '' then redis.call('SET', body_key(id), remake.request) end
end
if idem then redis.call('SET', idem, id) end
redis.call('HDEL', job_key(id), 'attempts', 'crashes', 'stalls', 'interruptions', 'finished_ms',
  'error', 'percent', 'stage', 'started_ms', 'rank_ms')
-- Both stand in the hash, or follow from the times that are about to change.
local length = job[4] and number(job[4]) or number(job[5]) - number(job[6])
redis.call('HSET', job_key(id), 'ready_ms', now, 'deadline_ms', now + length,
  'enqueued_ms', job[7] or job[6] or '')
rank_from(id, now, rank_ahead())
make_ready(id)
note(who, 'replay', 'ready', { job = id, tenant = job[2], changes = remake and remake.changes })
return { 'ready' }
