-- The leases of a worker go on: one call for all jobs that it holds.
--
-- Transitions: renew.
-- ARGV  2 worker  3 lease ms  then id, token for each job, at most 500
-- Returns one word a job, in order: `ok`, `cancel` (renewed; a person wants it ended) or `stale`.
-- After: each job whose token is current is leased until now + lease; so is the solo reservation.

local worker, lease_ms = name_at(2, 'worker'), whole(3, 'lease', MAX_SPAN)
if #ARGV % 2 == 0 or #ARGV > 3 + 2 * 500 then refuse('number of leases') end
write_worker(worker, worker_line(worker))
if redis.call('HGET', solo_hold, 'worker') == worker then
  redis.call('HSET', solo_hold, 'until_ms', now + lease_ms)
end
local answers = {}
for at = 4, #ARGV, 2 do
  local id, token = ARGV[at], ARGV[at + 1]
  if holds(id, token) then
    redis.call('ZADD', leased, now + lease_ms, id)
    answers[#answers + 1] = redis.call('HGET', job_key(id), 'cancel') and 'cancel' or 'ok'
  else
    answers[#answers + 1] = 'stale'
  end
end
return answers
