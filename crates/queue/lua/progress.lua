-- Stage and percent for those who watch. Costs nothing when the token is stale.
--
-- KEYS  ready events
-- ARGV  2 id  3 token  4 stage  5 percent  6 stages (JSON, '' = unchanged)
-- Returns 'ok' or 'stale'.
-- Rare: refuse

local id, token, percent = ARGV[2], ARGV[3], whole(5, 'percent', 100)
if #ARGV ~= 6 then refuse('number of values') end
local job = get(id, 'state', 'token', 'revision')
if not is_current(job, token) then return 'stale' end
local fields = { 'stage', ARGV[4], 'percent', percent, 'revision', number(job[3]) + 1 }
if ARGV[6] ~= '' then fields[7], fields[8] = 'stages', ARGV[6] end
redis.call('HSET', job_key(id), unpack(fields))
redis.call('PUBLISH', events, id .. ':leased')
return 'ok'
