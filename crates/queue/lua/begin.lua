-- The worker's first write under the token, before any handler code: from here on its death
-- counts as a crash.
--
-- KEYS  ready
-- ARGV  2 id  3 token
-- Returns 'ok' or 'stale'.

local id, token = ARGV[2], ARGV[3]
local job = get(id, 'state', 'token', 'started_ms')
if not is_current(job, token) then return 'stale' end
redis.call('HSET', job_key(id), 'begun', 1, 'started_ms', job[3] or now)
return 'ok'
