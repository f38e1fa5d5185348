-- The record of an ended job goes; the caller has deleted its files before.
--
-- Transitions: purge.
-- ARGV  2 id
-- Returns {'purged'}, {'not-ended', state} or {'unknown'}.

local id = ARGV[2]
local state = redis.call('HGET', job_key(id), 'state')
if not state then return { 'unknown' } end
if not has_ended(state) then return { 'not-ended', state } end
forget(id, state)
announce(id, 'purged')
return { 'purged' }
