-- The fleet agrees on who asks a provider that has refused it, and when. A stage's probes share one
-- pace: doubling pauses up to the longest one, while four fifths of the day's refusals are left; what
-- is left then is spread evenly over the rest of the day. Needs no token: nothing of a job changes.
--
-- KEYS  ready parked
-- ARGV  2 stage  3 'may', 'refused', 'unmet', 'accepted' or 'begun'  4 first pause in ms
--       5 longest pause in ms  6 refusals a day (0 = any number: the stage costs nothing)
--       7 for 'refused': calls that were made until it was certain (1 or 2)
-- Returns the ms until the next probe: 0 = now, and then it is the caller's alone.
--
-- Before 'may': anything. After 0: the next probe is one pause away, whatever becomes of this one.
-- After 'refused': its calls are counted. After 'unmet': the next one is due at once. After
-- 'accepted': the pace is the first again; the day's count stays. After it, and after 'begun', which a
-- worker says that starts anew, jobs that were refused are due at once: a hundred of them.
-- The hash goes a day after its first refusal, or when an operator resumes the queue.

local DAY_MS = 24 * 3600 * 1000
local key = probes_key(ARGV[2])
local act, first, longest, budget = ARGV[3], number(ARGV[4]), number(ARGV[5]), number(ARGV[6])
local kept = redis.call('HMGET', key, 'since', 'refused', 'step', 'next')
local since, refused = number(kept[1] or now), number(kept[2])
local step, next_ms = number(kept[3]), number(kept[4])
if now - since >= DAY_MS or now < since then since, refused, step, next_ms = now, 0, 0, 0 end

local function pause()
  local doubled = math.min(first * 2 ^ math.min(math.max(step - 1, 0), 30), longest)
  if budget == 0 or refused < budget * 4 / 5 then return doubled end
  local left = budget - refused
  if left < 1 then return math.max(doubled, DAY_MS / 4) end
  return math.max(doubled, (since + DAY_MS - now) / left)
end

local function keep()
  redis.call('HSET', key, 'since', text_of(since), 'refused', refused,
    'step', step, 'next', text_of(next_ms))
  redis.call('PEXPIRE', key, DAY_MS)
end

if act == 'begun' then
  wake_refused()
  return 0
elseif act == 'accepted' then
  wake_refused()
  if kept[1] then
    step, next_ms = 0, 0
    keep()
  end
  return 0
elseif act == 'unmet' then
  if kept[1] then
    step, next_ms = math.max(step - 1, 0), now
    keep()
  end
  return 0
elseif act == 'refused' then
  refused, step = refused + whole(7, 'calls', 2), math.max(step, 1)
  next_ms = math.max(next_ms, now + pause())
  keep()
  return math.ceil(next_ms - now)
end
if not kept[1] then return 0 end
if now < next_ms then return math.ceil(next_ms - now) end
step = step + 1
next_ms = now + pause()
keep()
return 0
