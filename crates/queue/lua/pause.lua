-- Claims stop, or go on. Running jobs finish either way. Who resumes has mended what refused the
-- fleet, too: its probes begin anew, and a hundred of the jobs that were refused are due at once.
--
-- KEYS  ready parked counts wake paused audit
-- ARGV  2 'pause' or 'resume'  3 by  4 interface  5 why
-- Returns 1 when that has stopped claims or let them go on, else 0.
-- After: what has changed anything has its line in the audit: `paused`, `resumed`, or `probed-anew`
-- for a resume of a queue that was not paused.

local step, who = one_of(2, 'step', 'pause', 'resume'), actor()

local function pause()
  local changed = redis.call('SETNX', paused, text_of(now))
  if changed == 1 then note(who, 'pause', 'paused', {}) end
  return changed
end

local function resume()
  local changed, probed = redis.call('DEL', paused), 0
  for _, stage in ipairs({ 'any', 'collection', 'transcript', 'tts', 'image', 'encode', 'upload' }) do
    probed = probed + redis.call('DEL', probes_key(stage))
  end
  probed = probed + wake_refused()
  if redis.call('ZCARD', ready) > 0 then wake_worker() end
  if changed + probed > 0 then
    note(who, 'resume', changed == 1 and 'resumed' or 'probed-anew', {})
  end
  return changed
end

return step == 'pause' and pause() or resume()
