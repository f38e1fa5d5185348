-- The leases of a worker go on: one call for all jobs that it holds.
--
-- Transitions: renew.
-- KEYS  ready leased workers
-- ARGV  2 worker  3 lease ms  4 its slots  5 jobs that it holds
--       6 the stage that refuses it, `any` when it does not know which, '' when none does
--       7 ms until its next probe, if one does  then id, token for each job, at most 500
-- Returns one word a job, in order: `ok`, `cancel` (renewed; a person wants it ended) or `stale`.
-- After: the worker's line says how it stands; each job whose token is current is leased until now + lease.

local worker, lease_ms = name_at(2, 'worker'), whole(3, 'lease', MAX_SPAN)
local slots, held = whole(4, 'slots', MAX_SPAN), whole(5, 'held', MAX_SPAN)
local refused = one_of(
  6, 'stage', '', 'any', 'collection', 'transcript', 'tts', 'image', 'encode', 'upload'
)
local probe_ms = refused == '' and 0 or now + whole(7, 'probe', MAX_SPAN)
if #ARGV % 2 == 0 or #ARGV > 7 + 2 * 500 then refuse('number of leases') end
local line = worker_line(worker)
line.standing = string.format('%d|%d|%d|%s|%d', slots, held, lease_ms, refused, probe_ms)
write_worker(worker, line)
local answers, renewed = {}, {}
for at = 8, #ARGV, 2 do
  local job = get(ARGV[at], 'state', 'token', 'cancel')
  if is_current(job, ARGV[at + 1]) then
    answers[#answers + 1] = job[3] and 'cancel' or 'ok'
    renewed[#renewed + 1], renewed[#renewed + 2] = now + lease_ms, ARGV[at]
    -- `unpack` stays below 500.
    if #renewed == 200 then
      redis.call('ZADD', leased, unpack(renewed))
      renewed = {}
    end
  else
    answers[#answers + 1] = 'stale'
  end
end
if #renewed > 0 then redis.call('ZADD', leased, unpack(renewed)) end
return answers
