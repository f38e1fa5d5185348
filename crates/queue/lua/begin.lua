-- The worker's first write under its tokens, before an attempt can pay, remember or show anything: from
-- here on its death counts as a crash.
--
-- KEYS  ready
-- ARGV  id, token for each job, at most JOBS_A_SCRIPT of them, from 2 on
-- Returns `ok` or `stale` for each, in order.
-- Rare: refuse

if #ARGV % 2 == 0 or #ARGV > 1 + 2 * JOBS_A_SCRIPT then refuse('number of leases') end
local answers = {}
for at = 2, #ARGV, 2 do
  local job = get(ARGV[at], 'state', 'token', 'started_ms')
  if is_current(job, ARGV[at + 1]) then
    redis.call('HSET', job_key(ARGV[at]), 'begun', 1, 'started_ms', job[3] or now)
    answers[#answers + 1] = 'ok'
  else
    answers[#answers + 1] = 'stale'
  end
end
return answers
