-- T5: a finished paid call is remembered; the job has made progress.
--
-- ARGV  2 id  3 token  4 stages (JSON, '' = unchanged)  then name, digest for each checkpoint
-- Returns 'ok' or 'stale'.
-- After: the digests stand in the hash as `checkpoint:<name>`, the first writer's each. If one of
-- them is new, crashes and interruptions without progress begin anew; a repeated one is no progress.

local id, token, stages = ARGV[2], ARGV[3], ARGV[4]
if not holds(id, token) then return 'stale' end
local new = 0
for at = 5, #ARGV, 2 do
  new = new + redis.call('HSETNX', job_key(id), 'checkpoint:' .. ARGV[at], ARGV[at + 1])
end
if stages ~= '' then redis.call('HSET', job_key(id), 'stages', stages) end
if new > 0 then redis.call('HDEL', job_key(id), 'crashes', 'stalls') end
return 'ok'
