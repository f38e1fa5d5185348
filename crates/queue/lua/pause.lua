-- Claims stop, or go on. Running jobs finish either way.
--
-- ARGV  2 'pause' or 'resume'
-- Returns 1 when that changed anything, else 0.

if one_of(2, 'step', 'pause', 'resume') == 'pause' then return redis.call('SETNX', paused, string.format('%.0f', now)) end
local changed = redis.call('DEL', paused)
if redis.call('ZCARD', ready) + redis.call('ZCARD', solo) > 0 then wake_worker() end
return changed
