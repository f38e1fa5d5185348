-- Stage and percent for those who watch. Costs nothing when the token is stale.
--
-- ARGV  2 id  3 token  4 stage  5 percent  6 stages (JSON, '' = unchanged)
-- Returns 'ok' or 'stale'.

local id, token, percent = ARGV[2], ARGV[3], whole(5, 'percent', 100)
if #ARGV ~= 6 then refuse('number of values') end
if not holds(id, token) then return 'stale' end
redis.call('HSET', job_key(id), 'stage', ARGV[4], 'percent', percent)
if ARGV[6] ~= '' then redis.call('HSET', job_key(id), 'stages', ARGV[6]) end
announce(id, 'leased')
return 'ok'
