-- A worker announces its leaving: whatever dies with it from now on is no crash.
--
-- Transitions: release, cancel, expire, unpark.
-- ARGV  2 worker  3 'leaving' or 'gone'
-- Returns how many jobs were given back: with `gone`, a claim whose reply never arrived.
-- After: its reservation of the solo lane is free, unless the job runs. After `gone`: the worker is
-- no longer in `workers`.

local worker, step = name_at(2, 'worker'), one_of(3, 'step', 'leaving', 'gone')
local line = worker_line(worker)

-- A reservation is no use to a worker that claims nothing more; others wait for it.
local function give_up_hold()
  local hold = redis.call('HMGET', solo_hold, 'worker', 'job')
  if hold[1] == worker and not hold[2] then
    redis.call('DEL', solo_hold)
    wake_worker()
  end
end

give_up_hold()
if step == 'leaving' then
  line.draining = true
  write_worker(worker, line)
  return 0
end
local returned = 0
local job = line.id ~= '' and get(line.id, 'state', 'token', 'worker', 'begun') or {}
if job[1] == 'leased' and job[3] == worker and not job[4] and
  string.match(job[2], '^%d+:(.*)$') == line.nonce then
  local overrule = overruled(line.id)
  leave_leased(line.id)
  if overrule then finish(line.id, overrule) else make_ready(line.id) end
  returned = 1
end
redis.call('HDEL', workers, worker)
return returned
