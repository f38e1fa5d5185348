-- Claims stop, or go on. Running jobs finish either way. Who resumes has mended what refused the
-- fleet, too: its probes begin anew, and a hundred of the jobs that were refused are due at once.
--
-- ARGV  2 'pause' or 'resume'
-- Returns 1 when that changed anything, else 0.

if one_of(2, 'step', 'pause', 'resume') == 'pause' then return redis.call('SETNX', paused, string.format('%.0f', now)) end
local changed = redis.call('DEL', paused)
for _, stage in ipairs({ 'any', 'collection', 'transcript', 'tts', 'image', 'encode', 'upload' }) do
  redis.call('DEL', probes_key(stage))
end
wake_refused()
if redis.call('ZCARD', ready) + redis.call('ZCARD', solo) > 0 then wake_worker() end
return changed
