-- A person ends a job: at once while it waits, through its worker while it runs.
--
-- Transitions: cancel, unpark.
-- ARGV  2 id
-- Returns {'cancelled'}, {'cancelling'} (its worker has been told), {'already', state} or
--         {'unknown'}.

local id = ARGV[2]
local state = redis.call('HGET', job_key(id), 'state')
if not state then return { 'unknown' } end
if state == 'leased' then
  redis.call('HSET', job_key(id), 'cancel', 1)
  redis.call('PUBLISH', cancels, id)
  return { 'cancelling' }
end
if has_ended(state) then return { 'already', state } end
leave_waiting(id, state)
finish(id, 'cancelled')
return { 'cancelled' }
