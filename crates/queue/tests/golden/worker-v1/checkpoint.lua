-- A finished paid call is remembered; the job has made progress.
--
-- Transitions: checkpoint.
-- ARGV  2 id  3 token  4 cost (JSON, '' = unchanged)  5 words ('' = unchanged)
--       then name, digest for each checkpoint
-- Returns 'ok' or 'stale'.
-- After: the digests stand in the hash as `checkpoint:<name>`, the first writer's each; `words`, the
-- transcript as far as it was said, at `transcript:<id>`, where they stay once its digest is kept. If
-- a digest is new, crashes and interruptions without progress begin anew; a repeated one, or words
-- alone, are no progress.

local id, token, cost, words = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if #ARGV < 5 or #ARGV % 2 == 0 then refuse('number of checkpoints') end
if not holds(id, token) then return 'stale' end
local is_whole = redis.call('HEXISTS', job_key(id), 'checkpoint:transcript') == 1
local new = 0
for at = 6, #ARGV, 2 do
  new = new + redis.call('HSETNX', job_key(id), 'checkpoint:' .. ARGV[at], ARGV[at + 1])
end
if words ~= '' and not is_whole then redis.call('SET', transcript_key(id), words) end
if cost ~= '' then redis.call('HSET', job_key(id), 'cost', cost) end
if new > 0 then redis.call('HDEL', job_key(id), 'crashes', 'stalls') end
return 'ok'
