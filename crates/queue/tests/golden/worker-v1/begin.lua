-- The worker's first write under the token, before any handler code: from here on its death
-- counts as a crash.
--
-- ARGV  2 id  3 token
-- Returns 'ok' or 'stale'.

local id, token = ARGV[2], ARGV[3]
if not holds(id, token) then return 'stale' end
redis.call('HSET', job_key(id), 'begun', 1)
redis.call('HSETNX', job_key(id), 'started_ms', now)
return 'ok'
