-- One wish for many jobs: a bulk action begins, gathers its jobs, sets out, or is stopped. What is
-- wished `bulk_step` does.
--
-- KEYS  ready counts audit
-- ARGV  2 id of the bulk action
--       3 'begin', then 4 'cancel', 'replay' or 'purge', 5 filter, 6 tenant ('' = all), 7 by,
--           8 interface, 9 why, 10 when it was planned, ms
--         'gather', then 4 server, 5 hold ms, and pairs of a number, by which the lowest goes first, and
--           a job, at most 100
--         'run', then 4 server, 5 hold ms: it has all of its jobs
--         'stop', then 4 by, 5 interface, 6 why
-- Returns {its state after the call}: 'gathering', 'running', 'done' or 'stopped'; or {'held'} (another
--         server is at work on it) or {'unknown'}. Repeating a call changes nothing.
-- The audit has a line when it sets out for its jobs, and one when it is stopped: a line a job would
-- push out everything else.

local MAX_FILTER, MAX_TIME, GATHER_FROM = 8 * 1024, 253402300799999, 6
local id = name_at(2, 'bulk')
local step = one_of(3, 'step', 'begin', 'gather', 'run', 'stop')
local state = redis.call('HGET', bulk_key(id), 'state')

if step == 'begin' then
  local action = one_of(4, 'action', 'cancel', 'replay', 'purge')
  local filter, tenant, who = ARGV[5] or '', ARGV[6] or '', actor(7)
  if #filter > MAX_FILTER then refuse('filter') end
  if #tenant > 128 then refuse('tenant') end
  local planned = whole(10, 'planned', MAX_TIME)
  if state then return { state } end
  redis.call('HSET', bulk_key(id), 'state', 'gathering', 'action', action, 'filter', filter,
    'tenant', tenant, 'by', who.by, 'interface', who.interface, 'why', who.why, 'planned_ms', text_of(planned), 'begun_ms', now)
  redis.call('ZADD', prefix .. 'bulks', now, id)
  return { 'gathering' }
end

local function note_bulk(who, action, result, jobs)
  local about = redis.call('HMGET', bulk_key(id), 'filter', 'tenant')
  note(who, action, result, { filter = about[1], tenant = about[2], jobs = jobs })
end

if step == 'stop' then
  local who = actor(4)
  if not state then return { 'unknown' } end
  if state == 'done' then return { state } end
  if state ~= 'stopped' then
    note_bulk(who, 'stop-bulk', 'stopped', redis.call('ZCARD', bulk_jobs_key(id)))
    end_bulk(id, 'stopped')
  end
  return { 'stopped' }
end
if not state then return { 'unknown' } end

local server, hold = name_at(4, 'server'), whole(5, 'hold', MAX_SPAN)
local values = #ARGV - GATHER_FROM + 1
if values % 2 ~= 0 or values > 2 * JOBS_A_SCRIPT then refuse('number of values') end
for at = GATHER_FROM, #ARGV, 2 do
  whole(at, 'number', MAX_TIME)
  name_at(at + 1, 'job')
end
if state ~= 'gathering' then return { state } end
if not hold_bulk(id, server, hold) then return { 'held' } end
if step == 'gather' then
  if values > 0 then redis.call('ZADD', bulk_jobs_key(id), unpack(ARGV, GATHER_FROM)) end
  return { state }
end
local total = redis.call('ZCARD', bulk_jobs_key(id))
redis.call('HSET', bulk_key(id), 'state', 'running', 'total', total)
if total > 0 then
  local wish = redis.call('HMGET', bulk_key(id), 'by', 'interface', 'why', 'action')
  note_bulk({ by = wish[1], interface = wish[2], why = wish[3] }, wish[4], 'running', total)
  return { 'running' }
end
end_bulk(id, 'done')
return { 'done' }
