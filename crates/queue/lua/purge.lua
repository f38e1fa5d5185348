-- The record of an ended job goes; the caller has deleted its files before.
--
-- Transitions: purge.
-- KEYS  ready delayed parked leased done dead cancelled expired counts trash events webhooks
--       audit
-- ARGV  2 id  3 by  4 interface  5 why
-- Returns {'purged'}, {'not-ended', state} or {'unknown'}. What is purged has its line in the audit.

local id, who = ARGV[2], actor()
local job = get(id, 'state', 'tenant')
local state = job[1]
if not state then return { 'unknown' } end
if not has_ended(state) then return { 'not-ended', state } end
forget(id, state)
announce(id, 'purged')
note(who, 'purge', 'purged', { job = id, tenant = job[2] })
return { 'purged' }
