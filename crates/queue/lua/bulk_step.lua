-- The next jobs of a bulk action are cancelled, replayed or purged, each as if somebody had asked for
-- it alone. A job leaves the list in the same script, so each has it once, however many servers do it.
--
-- Transitions: cancel, unpark, replay, purge.
-- KEYS  ready solo delayed parked leased done dead cancelled expired deadlines counts wake landed
--       trash events cancels webhooks audit
-- ARGV  2 id of the bulk action  3 server  4 hold ms  5 most jobs, 0 to 100
--       of a purge, pairs of a job of it and 'gone', or 'stay' if its files could not be removed
-- Returns {state, number of jobs that left the list}; as `bulk` has it, 'held' and 'unknown' too.
--
-- In front of it stand the scripts of these verbs, as functions of the table `wishes`, which ask nobody
-- who they are and write no line: `bulk` has written one for all of them.

local ENDS = { cancelled = true, cancelling = true, ready = true, purged = true }
local id, server = name_at(2, 'bulk'), name_at(3, 'server')
local hold, most = whole(4, 'hold', MAX_SPAN), whole(5, 'jobs', JOBS_A_SCRIPT)
local named = #ARGV - 5
if named % 2 ~= 0 or named > 2 * JOBS_A_SCRIPT then refuse('number of values') end
for at = 6, #ARGV, 2 do
  name_at(at, 'job')
  one_of(at + 1, 'files', 'gone', 'stay')
end
local bulk = redis.call('HMGET', bulk_key(id), 'state', 'action')
local state, action = bulk[1], bulk[2]
if not (state and wishes[action]) then return { 'unknown', 0 } end
if state ~= 'running' then return { state, 0 } end
if not hold_bulk(id, server, hold) then return { 'held', 0 } end

local done = 0
local function act(job, files)
  if redis.call('ZREM', bulk_jobs_key(id), job) == 0 then return end
  done = done + 1
  local word = files == 'stay' and 'files' or wishes[action]({ prefix, job })[1]
  redis.call('HINCRBY', bulk_key(id), ENDS[word] and 'granted' or 'refused:' .. word, 1)
end

if action == 'purge' then
  for at = 6, #ARGV, 2 do act(ARGV[at], ARGV[at + 1]) end
elseif most > 0 then
  for _, job in ipairs(redis.call('ZRANGE', bulk_jobs_key(id), 0, most - 1)) do act(job) end
end
if redis.call('ZCARD', bulk_jobs_key(id)) > 0 then return { 'running', done } end
end_bulk(id, 'done')
return { 'done', done }
