-- A finished paid call is remembered; the job has made progress.
--
-- Transitions: checkpoint.
-- KEYS  ready
-- ARGV  2 id  3 token  4 cost (JSON, '' = unchanged)  5 words ('' = unchanged)
--       then name, digest for each checkpoint
-- Returns 'ok' or 'stale'.
-- After: the digests stand in the hash as `checkpoint:<name>`, the first writer's each; `words`, the
-- transcript as far as it was said, at `transcript:<id>`, where they stay once its digest is kept. If
-- a digest is new, crashes and interruptions without progress begin anew; a repeated one, or words
-- alone, are no progress.
-- Rare: refuse

local MOST_FIELDS = 240
local id, token, cost, words = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if #ARGV < 5 or #ARGV % 2 == 0 then refuse('number of checkpoints') end
local asked = { 'state', 'token', 'checkpoint:transcript', 'crashes', 'stalls' }
for at = 6, #ARGV, 2 do asked[#asked + 1] = 'checkpoint:' .. ARGV[at] end
if #asked > MOST_FIELDS then refuse('number of checkpoints') end
local job = get(id, unpack(asked))
if not is_current(job, token) then return 'stale' end
local fields, is_progress = {}, false
-- From behind: of two digests under one name the first stands, as it does of two calls.
for at = #asked, 6, -1 do
  if not job[at] then
    fields[#fields + 1], fields[#fields + 2] = asked[at], ARGV[2 * at - 5]
    is_progress = true
  end
end
if cost ~= '' then fields[#fields + 1], fields[#fields + 2] = 'cost', cost end
if #fields > 0 then redis.call('HSET', job_key(id), unpack(fields)) end
if words ~= '' and not job[3] then redis.call('SET', transcript_key(id), words) end
if is_progress and (job[4] or job[5]) then redis.call('HDEL', job_key(id), 'crashes', 'stalls') end
return 'ok'
