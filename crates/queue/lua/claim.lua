-- The best-ranked ready jobs go to a worker that has free slots: one a slot, and no more than its share of
-- what waits, so that no worker takes what others have slots for.
--
-- Transitions: claim, promote, unpark, expire.
-- KEYS  ready delayed parked leased done dead cancelled expired deadlines counts wake paused
--       workers landed trash events webhooks
-- ARGV  2 worker  3 nonce  4 lease ms  5 jobs that the worker holds now  6 its free slots, 1 to 500
-- Returns {'jobs', next due ms, then of each job {id, token, body, remaining ms to the deadline, the
--          pairs of the job's hash}}, at most OF_A_KIND of them, or {word, next due ms}: `empty` or
--          `paused`.
-- Before: the caller holds the free slots. After: each job is leased under `fence:nonce`, its fence
-- grown by one. Repeating a nonce returns the same jobs while those tokens are leased and prolongs
-- nothing, so a lost reply leases to nobody.

-- Jobs of several kinds are touched on the way: due, woken, landed, expired, and claimed.
local OF_A_KIND = JOBS_A_SCRIPT / 5
local worker, nonce = name_at(2, 'worker'), name_at(3, 'nonce')
local lease_ms, held = whole(4, 'lease', MAX_SPAN), whole(5, 'held', MAX_SPAN)
local free = whole(6, 'free slots', 500)
if free == 0 then refuse('free slots') end
local line = worker_line(worker)

-- The job's hash as a list of pairs, and where in it the value of each name stands.
local function read(id)
  local hash, at = redis.call('HGETALL', job_key(id)), {}
  for place = 2, #hash, 2 do at[hash[place - 1]] = place end
  return hash, at
end

local function answer_job(id, hash, at, body)
  return { id, hash[at.token], body or '', number(hash[at.deadline_ms]) - now, hash }
end

-- Those of the open claim that are leased under it still.
local function claimed_again()
  local answer = {}
  for id in string.gmatch(line.id, '[^,]+') do
    local hash, at = read(id)
    if hash[at.state] == 'leased' and string.match(hash[at.token], '^%d+:(.*)$') == nonce then
      answer[#answer + 1] = answer_job(id, hash, at, redis.call('GET', body_key(id)))
    end
  end
  return answer
end

if line.nonce == nonce and line.id ~= '' then
  local again = claimed_again()
  if #again > 0 then return { 'jobs', next_due(), unpack(again) } end
end

-- One look for all that is rare.
local due = -1
if redis.call('EXISTS', delayed, parked, landed, paused) > 0 then
  due = next_due()
  if due == 0 then
    promote_due(OF_A_KIND)
    due = next_due()
  end
  wake_landed(OF_A_KIND)
  if redis.call('EXISTS', paused) == 1 then return { 'paused', due } end
end

-- How many this worker may take.
local function share()
  if free == 1 then return 1 end
  local fair = math.ceil(redis.call('ZCARD', ready) / math.max(1, redis.call('HLEN', workers)))
  return math.max(1, math.min(free, fair, OF_A_KIND))
end

local answer, ids, leases = { 'jobs', due }, {}, {}

local function lease(id, hash, at)
  local fence = string.format('%.0f', number(hash[at.fence]) + 1)
  local news = {
    'state', 'leased', 'token', fence .. ':' .. nonce, 'worker', worker, 'lease_ms', ARGV[4],
    'fence', fence, 'revision', string.format('%.0f', number(hash[at.revision]) + 1),
  }
  redis.call('HSET', job_key(id), unpack(news))
  for place = 1, #news, 2 do
    local name = news[place]
    if not at[name] then
      hash[#hash + 1] = name
      at[name] = #hash + 1
    end
    hash[at[name]] = news[place + 1]
  end
  ids[#ids + 1] = id
  leases[#leases + 1] = now + lease_ms
  leases[#leases + 1] = id
  answer[#answer + 1] = answer_job(id, hash, at)
end

-- What may still run is leased; what may not is ended on the way.
local function take(id)
  local hash, at = read(id)
  if hash[at.state] ~= 'ready' then return end
  if number(hash[at.deadline_ms]) > now then return lease(id, hash, at) end
  redis.call('ZREM', deadlines, id)
  drop_flights(id)
  finish(id, 'expired')
end

local most = share()
for _ = 1, OF_A_KIND do
  local first = redis.call('ZPOPMIN', ready, most - #ids)
  for at = 1, #first, 2 do take(first[at]) end
  if #ids >= most or #first == 0 then break end
end
-- One marker wakes one worker, so whoever was woken wakes the next while there is something to do.
if redis.call('EXISTS', ready) == 1 then wake_worker() end
if #ids == 0 then return { 'empty', due } end

redis.call('ZREM', deadlines, unpack(ids))
redis.call('ZADD', leased, unpack(leases))
local bodies, words = {}, {}
for at, id in ipairs(ids) do
  bodies[at], words[at] = body_key(id), id .. ':leased'
end
bodies = redis.call('MGET', unpack(bodies))
for at = 1, #ids do answer[2 + at][3] = bodies[at] or '' end
redis.call('PUBLISH', events, table.concat(words, '\n'))
line.nonce, line.id = nonce, table.concat(ids, ',')
line.standing = string.gsub(
  line.standing, '^(%d+)|%d+', '%1|' .. string.format('%.0f', held + #ids)
)
write_worker(worker, line)
return answer
