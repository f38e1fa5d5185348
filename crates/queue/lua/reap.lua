-- What time alone decides: due jobs, leases that ran out, deadlines, retention. Any worker may call
-- it, as often as it likes; nothing here needs a leader.
--
-- Transitions: reap, promote, unpark, expire, cancel, dead, purge.
-- KEYS  ready solo solo_hold delayed parked leased done dead cancelled expired deadlines counts
--       wake reap_at gap_at workers landed trash events stall_at webhooks
-- ARGV  2 lease ms  3 'all' (nobody else can hold a lease) or ''
--       4 crashes without a checkpoint that end a job  5 its error then (JSON)
--       6 interruptions without one that end it  7 its error then (JSON)
--       8 terminal records live ms  9 at most so many  10 dead ones live ms  11 at most so many
--       12 when the caller was last answered, by `now` of that answer ('' = never)
--       13 ms for which a reap by anybody is fresh enough ('' = 0)
-- Returns pairs of a name and a number: `now` (ms, for the next call), `leases` (ended), `crashes`
--         (among them), `expired` (of the waiting jobs), `purged`, `gap` (1 if one holds the reaper
--         back), `next_due` (ms, -1 = none), `more` (1 if it left something: call again soon, other
--         callers in between); or only `now` and `fresh`, the ms until the next reap is due: somebody
--         else has just reaped
--
-- A call touches at most JOBS_A_SCRIPT jobs, and keeps a quarter of them for retention, so that neither
-- a crowd of waiting jobs nor one of old records keeps the other.
--
-- The gap rule: when nobody reaped for longer than half a lease (a stall, a restart, a failover, a
-- step of the clock), the leases of living workers may have run out unseen; for one lease nothing
-- is reaped, so that they can renew. At most one gap in twenty leases.
-- Each stall is noted, however soon after the last: a caller that was not answered for longer than half
-- a lease is the proof, also with a call that was sent before the stall and is run behind it. A lease
-- that was not renewed since then ends as nobody's crash, and for a sixth of a lease its holder may
-- still write what it has.

local lease_ms, everything = whole(2, 'lease', MAX_SPAN), one_of(3, 'which', 'all', '') == 'all'
local max_crashes, crashed = whole(4, 'crashes', MAX_SPAN), ARGV[5]
local max_interruptions, no_progress = whole(6, 'interruptions', MAX_SPAN), ARGV[7]
local live_ms, max = whole(8, 'span of records', MAX_SPAN), whole(9, 'records', MAX_SPAN)
local dead_live_ms, max_dead = whole(10, 'span of dead', MAX_SPAN), whole(11, 'dead', MAX_SPAN)
local function span_at(at, name) return (ARGV[at] or '') == '' and 0 or whole(at, name, MAX_SPAN) end
local answered_ms = (ARGV[12] or '') ~= '' and whole(12, 'last answer', 2 ^ 53) or nil
local fresh_ms = span_at(13, 'freshness')
local FOR_RETENTION, GONE_AFTER_LEASES, SWEEP_MS = JOBS_A_SCRIPT / 4, 60, 60000
room = room - FOR_RETENTION

local more = false

-- When somebody last reaped, and when the last gap and the last stall were noted.
local noted = redis.call('MGET', reap_at, gap_at, stall_at)

local stalled = answered_ms and now - answered_ms > lease_ms / 2
if fresh_ms > 0 and not stalled then
  local since = now - number(noted[1])
  if since >= 0 and since < fresh_ms then return { 'now', now, 'fresh', fresh_ms - since } end
end

-- Whether a stall was noted in the last sixth of a lease.
local function stall_holds()
  if stalled then
    noted[3] = text_of(now)
    redis.call('SET', stall_at, noted[3])
  end
  local since = noted[3] and now - number(noted[3])
  return since and since >= 0 and since < lease_ms / 6
end

local function gap_holds()
  local last, gap = noted[1], noted[2]
  redis.call('SET', reap_at, text_of(now))
  local since_gap = gap and now - number(gap)
  if last then
    local since = now - number(last)
    local rare = not since_gap or since_gap < 0 or since_gap > 20 * lease_ms
    if (since > lease_ms / 2 or since < 0) and rare then
      noted[2] = text_of(now)
      redis.call('SET', gap_at, noted[2])
      return true
    end
  end
  return since_gap and since_gap >= 0 and since_gap < lease_ms
end

-- A crash is the job's fault only if its attempt had begun, its worker was seen alive under this
-- lease after the last gap and stall, and had not announced its leaving. A worker without a line has
-- left: a dead one keeps its line for far longer than a lease.
local function is_crash(id, expiry)
  local job = get(id, 'begun', 'lease_ms', 'worker')
  if not job[1] then return false end
  for which = 2, 3 do
    local at = noted[which] and number(noted[which]) or math.huge
    if expiry - number(job[2]) <= at and at <= now then return false end
  end
  local line = worker_line(job[3] or '')
  return line.known and not line.draining
end

-- Returns 1 for a crash.
local function reap_job(id, expiry)
  local crashed_now = is_crash(id, expiry)
  local overrule = overruled(id)
  if overrule then
    leave_leased(id)
    finish(id, overrule)
  elseif crashed_now then
    crash(id, max_crashes, crashed)
  elseif count_interruption(id, max_interruptions) then
    die(id, no_progress)
  else
    leave_leased(id)
    make_ready(id)
  end
  return crashed_now and 1 or 0
end

-- A lease that ends may have an heir, which is touched too.
local function reap_leases()
  local most = math.floor(room / 2)
  local to = everything and '+inf' or '(' .. text_of(now)
  local over = redis.call('ZRANGEBYSCORE', leased, '-inf', to, 'WITHSCORES', 'LIMIT', 0, most)
  local crashes = 0
  room = room - #over / 2
  for at = 1, #over, 2 do crashes = crashes + reap_job(over[at], number(over[at + 1])) end
  more = #over / 2 == most
  return #over / 2, crashes
end

-- A clock set back leaves leases that end too late: none may last longer than one given now.
local function shorten_leases()
  local latest = '(' .. text_of(now + lease_ms)
  local over = redis.call('ZRANGEBYSCORE', leased, latest, '+inf', 'LIMIT', 0, JOBS_A_SCRIPT)
  for _, id in ipairs(over) do
    redis.call('ZADD', leased, 'LT', now + number(redis.call('HGET', job_key(id), 'lease_ms')), id)
  end
end

local function expire_waiting()
  local expired_now = 0
  for _, id in ipairs(take_due(deadlines, now, room)) do
    local state = redis.call('HGET', job_key(id), 'state')
    if state == 'ready' or state == 'delayed' or state == 'parked' then
      leave_waiting(id, state)
      finish(id, 'expired')
      expired_now = expired_now + 1
    else
      -- A leased job is ended by its worker; without a record there is nothing to end.
      redis.call('ZREM', deadlines, id)
    end
  end
  return expired_now
end

-- What lies in `ready` for as long as any job has that is not in `deadlines`. Those among them that have
-- longer are passed by, so that the next reap looks behind them.
local function expire_by_rank()
  local kept = redis.call('HMGET', counts, 'rank_ahead_ms', 'passed_by')
  local until_rank = now + number(kept[1]) - FOUND_BY_RANK_MS
  local first, most = number(kept[2]), math.max(0, room)
  local old = redis.call('ZRANGEBYSCORE', ready, '-inf', until_rank, 'LIMIT', first, most)
  local passed_by, expired_now = first, 0
  room = room - #old
  for _, id in ipairs(old) do
    if number(redis.call('HGET', job_key(id), 'deadline_ms')) > now then
      passed_by = passed_by + 1
    else
      leave_waiting(id, 'ready')
      finish(id, 'expired')
      expired_now = expired_now + 1
    end
  end
  if #old < most then passed_by = 0 end
  if passed_by ~= first then redis.call('HSET', counts, 'passed_by', passed_by) end
  return expired_now
end

local function retain(state, live_ms, max)
  local all = redis.call('ZCARD', index[state])
  if all == 0 then return 0 end
  local over = take_due(index[state], now - live_ms, room)
  local surplus = math.min(all - max, room)
  if #over == 0 and surplus > 0 then
    over = redis.call('ZRANGE', index[state], 0, surplus - 1)
    room = room - #over
  end
  for _, id in ipairs(over) do forget(id, state, true) end
  return #over
end

-- Workers before this version put a job under which two had died into a lane of its own, `solo`, and one
-- of them reserved it. Here it is ready as any other.
local function adopt_solo()
  local left = redis.call('ZRANGE', solo, 0, room - 1)
  room = room - #left
  for _, id in ipairs(left) do
    redis.call('ZREM', solo, id)
    if redis.call('HGET', job_key(id), 'state') == 'ready' then make_ready(id) end
  end
  if #left > 0 then redis.call('DEL', solo_hold) end
end

-- Once a minute, of a sample: each worker's turn comes, however many there are.
local function sweep_workers()
  if math.floor(now / SWEEP_MS) == math.floor(number(noted[1]) / SWEEP_MS) then return end
  local all = redis.call('HRANDFIELD', workers, 100, 'WITHVALUES')
  for at = 1, #all, 2 do
    local seen = number(string.match(all[at + 1], '^(%d+)'))
    if now - seen > GONE_AFTER_LEASES * lease_ms then redis.call('HDEL', workers, all[at]) end
  end
end

local gap = gap_holds()
gap = stall_holds() or gap
local reaped, crashes, expiries = 0, 0, 0
local due = -1
-- A queue in which nothing runs and nothing waits needs one look.
if redis.call('EXISTS', leased, ready, delayed, parked, deadlines, landed, solo) > 0 then
  shorten_leases()
  if everything or not gap then reaped, crashes = reap_leases() end
  promote_due(room)
  if room > 0 then adopt_solo() end
  expiries = expire_waiting() + expire_by_rank()
  wake_landed(room)
  more = more or room <= 0 or redis.call('EXISTS', landed) == 1
  due = next_due()
end
sweep_workers()
room = room + FOR_RETENTION
local purged = 0
if redis.call('EXISTS', done, cancelled, expired, dead) > 0 then
  purged = retain('done', live_ms, max) + retain('cancelled', live_ms, max) +
    retain('expired', live_ms, max) + retain('dead', dead_live_ms, max_dead)
end
return {
  'now', now, 'leases', reaped, 'crashes', crashes, 'expired', expiries, 'purged', purged,
  'gap', gap and 1 or 0, 'next_due', due, 'more', (more or room <= 0) and 1 or 0,
}
