-- A worker announces its leaving: whatever dies with it from now on is no crash.
--
-- Transitions: release, cancel, expire, unpark.
-- KEYS  ready delayed parked leased done dead cancelled expired deadlines wake workers landed
--       trash events webhooks
-- ARGV  2 worker  3 'leaving' or 'gone'
-- Returns how many jobs were given back: with `gone`, a claim whose reply never arrived.
-- After `gone`: the worker is no longer in `workers`.

local worker, step = name_at(2, 'worker'), one_of(3, 'step', 'leaving', 'gone')
local line = worker_line(worker)
if step == 'leaving' then
  line.draining = true
  write_worker(worker, line)
  return 0
end
local returned = 0
each_claimed(line, function(id, nonce)
  local job = get(id, 'state', 'token', 'worker', 'begun')
  if job[1] == 'leased' and job[3] == worker and not job[4] and
    string.match(job[2], '^%d+:(.*)$') == nonce then
    local overrule = overruled(id)
    leave_leased(id)
    if overrule then finish(id, overrule) else make_ready(id) end
    returned = returned + 1
  end
end)
redis.call('HDEL', workers, worker)
return returned
