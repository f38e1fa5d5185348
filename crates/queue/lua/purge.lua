-- The record of an ended job goes; the caller has deleted its files before.
--
-- ARGV  2 id
-- Returns {'purged'}, {'not-ended', state} or {'unknown'}.

local id = ARGV[2]
local state = redis.call('HGET', job_key(id), 'state')
if not state then return { 'unknown' } end
local ended = state == 'done' or state == 'dead' or state == 'cancelled' or state == 'expired'
if not ended then return { 'not-ended', state } end
discard_work(id, now)
free_key(id)
redis.call('ZREM', index[state], id)
redis.call('DEL', job_key(id), body_key(id), prefix .. 'transcript:' .. id)
redis.call('HINCRBY', counts, 'purged', 1)
announce(id, 'purged')
return { 'purged' }
