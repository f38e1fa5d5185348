-- The ways out of a lease for the worker that holds it, for `report` and `exchange`. In parts, as the
-- preamble.
--
-- KEYS  those that the parts name
-- ARGV  as `reports_at` reads them

-- Jobs that one call reports.
local REPORTS_A_CALL = JOBS_A_SCRIPT / 5

-- The values of one report from `at` on, and where the next one begins:
--   id  token  outcome: done, retry, dead, park, release or crash (the process of the attempt has died, as
--   its worker saw)  delay ms (retry: back-off; park: until it wakes)  park reason  error (JSON, '' =
--   none)  artifact (JSON)  stages (JSON, '' = unchanged)  cost (JSON, '' = unchanged)
--   number of flights that a park waits for, then each of them
local function report_at(at)
  local report = {
    id = ARGV[at], token = ARGV[at + 1],
    outcome = one_of(at + 2, 'outcome', 'done', 'retry', 'dead', 'park', 'release', 'crash'),
    delay = whole(at + 3, 'delay', MAX_SPAN), reason = ARGV[at + 4], failure = ARGV[at + 5],
    artifact = ARGV[at + 6], stages = ARGV[at + 7], cost = ARGV[at + 8], flights = {},
  }
  if report.outcome == 'park' then
    one_of(at + 4, 'reason', 'provider', 'rate', 'budget', 'flight', 'version')
  end
  local flights = whole(at + 9, 'number of flights', JOBS_A_SCRIPT)
  for flight = 1, flights do report.flights[flight] = flight_at(at + 9 + flight) end
  return report, at + 10 + flights
end

-- All reports of a call. In front of them, from `at` on, what ends a job whatever its report says:
-- interruptions without a checkpoint, the error of that (JSON), crashes without one.
local function reports_at(at)
  local reports = {
    max_interruptions = whole(at, 'interruptions', MAX_SPAN), no_progress = ARGV[at + 1],
    max_crashes = whole(at + 2, 'crashes', MAX_SPAN),
  }
  at = at + 3
  while at <= #ARGV do reports[#reports + 1], at = report_at(at) end
  if #reports > REPORTS_A_CALL then refuse('number of reports') end
  return reports
end

-- What stands beside the outcome in the record.
local function fields_of(list)
  local fields = {}
  for at = 1, #list, 2 do
    if list[at + 1] ~= '' then
      fields[#fields + 1], fields[#fields + 2] = list[at], list[at + 1]
    end
  end
  return fields
end

-- A flight that the job wants to wait for has landed or lost its owner.
local function waits_in_vain(id, flights)
  for _, key in ipairs(flights) do
    local owner = owner_of(key)
    if not owner or owner == id then return true end
  end
  return false
end

-- Out of `leased` and into a state that waits for a time.
local function put_off(id, state, delay, reason)
  leave_leased(id)
  redis.call('HSET', job_key(id), 'state', state, 'wake_ms', now + delay)
  if reason then redis.call('HSET', job_key(id), 'reason', reason) end
  redis.call('ZADD', index[state], now + delay, id)
  redis.call('ZADD', deadlines, number(redis.call('HGET', job_key(id), 'deadline_ms')), id)
end

-- What becomes of a job that was not delivered; the state that it is in then.
local outcomes = {}
function outcomes.dead(report) return die(report.id, report.failure) end
function outcomes.retry(report)
  local id = report.id
  local attempts = redis.call('HINCRBY', job_key(id), 'attempts', 1)
  local max_attempts = number(redis.call('HGET', job_key(id), 'max_attempts') or DEFAULT_ATTEMPTS)
  if attempts >= max_attempts then return die(id, report.failure) end
  put_off(id, 'delayed', report.delay)
  announce(id, 'delayed')
  return 'delayed'
end
function outcomes.park(report)
  local id = report.id
  put_off(id, 'parked', report.delay, report.reason)
  for _, key in ipairs(report.flights) do
    redis.call('ZADD', waiters_key(key), rank(id), id)
    add_line(id, 'awaits', key)
  end
  announce(id, 'parked')
  return 'parked'
end
function outcomes.release(report, limits)
  if count_interruption(report.id, limits.max_interruptions) then
    return die(report.id, limits.no_progress)
  end
  leave_leased(report.id)
  make_ready(report.id)
  return 'ready'
end
function outcomes.crash(report, limits)
  return crash(report.id, limits.max_crashes, report.failure)
end

-- The report of a job that was not delivered.
local function report_undelivered(report, limits)
  local id, outcome, state = report.id, report.outcome, nil
  local overrule = overruled(id)
  local in_vain = outcome == 'park' and not overrule and waits_in_vain(id, report.flights)
  local fields = in_vain and fields_of({ 'cost', report.cost }) or
    fields_of({ 'cost', report.cost, 'error', report.failure, 'stages', report.stages })
  if #fields > 0 then redis.call('HSET', job_key(id), unpack(fields)) end
  if in_vain then return { 'go-on', '' } end
  if overrule then
    leave_leased(id)
    finish(id, overrule)
    state = overrule
  else
    state = outcomes[outcome](report, limits)
  end
  redis.call('HSET', job_key(id), 'last_report', report.token .. ':' .. outcome .. '=' .. state)
  return { 'accepted', state }
end

-- The token of a delivered job stays in its hash: a repeated report is known by it.
local function answer_repeated(report, job)
  if job[1] == 'done' and job[2] == report.token and report.outcome == 'done' then
    return { 'accepted', 'done' }
  end
  local line = report.token .. ':' .. report.outcome
  if string.match(job[3] or '', '^(.*)=%a+$') == line then
    return { 'accepted', string.match(job[3], '=(%a+)$') }
  end
  return { 'stale', job[1] or '' }
end

-- Jobs that were delivered leave the indexes together, by one command each.
local function end_delivered(delivered, words)
  local ends, bodies, folders, at_ms = {}, {}, {}, text_of(now)
  for at, id in ipairs(delivered) do
    ends[2 * at - 1], ends[2 * at] = at_ms, id
    bodies[at], words[#words + 1] = body_key(id), id .. ':done'
    local tenant = delivered[id]
    if tenant then folders[#folders + 1], folders[#folders + 2] = at_ms, tenant .. '/' .. id end
  end
  redis.call('ZREM', leased, unpack(delivered))
  redis.call('ZADD', done, unpack(ends))
  redis.call('DEL', unpack(bodies))
  if #folders > 0 then redis.call('ZADD', trash, unpack(folders)) end
end

-- The record of a job that was delivered; `delivered` takes it, and its tenant.
local function report_done(report, job, delivered)
  local id = report.id
  local fields = fields_of({ 'cost', report.cost, 'stages', report.stages, 'artifact', report.artifact })
  redis.call('HSET', job_key(id), 'state', 'done', 'finished_ms', text_of(now), 'percent', '100',
    'revision', text_of(number(job[8]) + 1), unpack(fields))
  if job[4] or job[5] or job[6] then drop_flights(id) end
  if job[3] or job[9] or job[11] then
    redis.call('HDEL', job_key(id), 'last_report', 'error', 'cancel')
  end
  if job[10] then owe_webhook(id) end
  delivered[#delivered + 1], delivered[id] = id, job[7]
end

-- All of them, in order; an answer each. What was delivered is added to `words`, to be published.
local function report_all(reports, words)
  local answers, delivered = {}, {}
  room = room - #reports
  for at, report in ipairs(reports) do
    local job = get(report.id, 'state', 'token', 'last_report', 'owns', 'awaits', 'heir', 'tenant',
      'revision', 'error', 'webhook', 'cancel')
    if not is_current(job, report.token) then
      answers[at] = answer_repeated(report, job)
    elseif report.outcome == 'done' then
      report_done(report, job, delivered)
      answers[at] = { 'accepted', 'done' }
    else
      answers[at] = report_undelivered(report, reports)
    end
  end
  if #delivered > 0 then end_delivered(delivered, words) end
  return answers
end
