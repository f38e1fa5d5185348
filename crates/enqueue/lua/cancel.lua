-- A person ends a job: at once while it waits, through its worker while it runs.
--
-- Transitions: cancel, unpark.
-- KEYS  ready solo delayed parked leased done dead cancelled expired deadlines counts wake landed
--       trash events cancels webhooks audit
-- ARGV  2 id  3 by  4 interface  5 why
-- Returns {'cancelled'}, {'cancelling'} (its worker has been told), {'already', state} or
--         {'unknown'}. What changes something has its line in the audit.

local id, who = ARGV[2], actor()
local job = get(id, 'state', 'tenant')
local state, about = job[1], { job = id, tenant = job[2] }
if not state then return { 'unknown' } end
if state == 'leased' then
  local is_new = redis.call('HSETNX', job_key(id), 'cancel', 1) == 1
  redis.call('PUBLISH', cancels, id)
  if is_new then note(who, 'cancel', 'cancelling', about) end
  return { 'cancelling' }
end
if has_ended(state) then return { 'already', state } end
leave_waiting(id, state)
finish(id, 'cancelled')
note(who, 'cancel', 'cancelled', about)
return { 'cancelled' }
