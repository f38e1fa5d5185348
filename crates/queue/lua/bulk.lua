-- One wish for many jobs: a bulk action begins, gathers its jobs, sets out, or is stopped. What is
-- wished `bulk_step` does.
--
-- ARGV  2 id of the bulk action
--       3 'begin', then 4 'cancel', 'replay' or 'purge', 5 filter, 6 tenant ('' = all), 7 by whom,
--           8 when it was planned, ms
--         'gather', then 4 server, 5 hold ms, and pairs of a number, by which the lowest goes first, and
--           a job, at most 100
--         'run', then 4 server, 5 hold ms: it has all of its jobs
--         'stop'
-- Returns {its state after the call}: 'gathering', 'running', 'done' or 'stopped'; or {'held'} (another
--         server is at work on it) or {'unknown'}. Repeating a call changes nothing.

local MAX_FILTER, MAX_TIME, GATHER_FROM = 8 * 1024, 253402300799999, 6
local id = name_at(2, 'bulk')
local step = one_of(3, 'step', 'begin', 'gather', 'run', 'stop')
local state = redis.call('HGET', bulk_key(id), 'state')

if step == 'begin' then
  local action = one_of(4, 'action', 'cancel', 'replay', 'purge')
  local filter, tenant, by = ARGV[5] or '', ARGV[6] or '', ARGV[7] or ''
  if #filter > MAX_FILTER then refuse('filter') end
  if #tenant > 128 or #by > 128 then refuse('names') end
  local planned = whole(8, 'planned', MAX_TIME)
  if state then return { state } end
  redis.call('HSET', bulk_key(id), 'state', 'gathering', 'action', action, 'filter', filter,
    'tenant', tenant, 'by', by, 'planned_ms', string.format('%.0f', planned), 'begun_ms', now)
  redis.call('ZADD', prefix .. 'bulks', now, id)
  return { 'gathering' }
end

if not state then return { 'unknown' } end
if step == 'stop' then
  if state == 'done' then return { state } end
  if state ~= 'stopped' then end_bulk(id, 'stopped') end
  return { 'stopped' }
end

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
if total > 0 then return { 'running' } end
end_bulk(id, 'done')
return { 'done' }
