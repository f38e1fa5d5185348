-- A job wants a result that another job may already be paying for.
--
-- KEYS  ready
-- ARGV  2 id  3 token  4 flight key
-- Returns {'owned'} (pay, then land), {'waiting', id of the owner} (listed as a waiter; the job
--         stays leased), {'landed', how} (a mark that no value can be shared) or {'stale'}.

-- Rare: refuse drop_line add_line rank

local id, token, key = ARGV[2], ARGV[3], flight_at(4)
local job = get(id, 'state', 'token', 'heir', 'awaits', 'owns')
if not is_current(job, token) then return { 'stale' } end
if job[3] then drop_line(id, 'heir', key, job[3]) end
local flight = redis.call('HMGET', flight_key(key), 'job', 'token', 'landed')
local owner = owner_by(flight)
if owner and owner ~= id then
  redis.call('ZADD', waiters_key(key), rank(id), id)
  add_line(id, 'awaits', key, job[4])
  return { 'waiting', owner }
end
if job[4] then
  redis.call('ZREM', waiters_key(key), id)
  drop_line(id, 'awaits', key, job[4])
end
if flight[3] then return { 'landed', flight[3] } end
redis.call('HSET', flight_key(key), 'job', id, 'token', token)
if job[5] then add_line(id, 'owns', key, job[5]) else redis.call('HSET', job_key(id), 'owns', key) end
return { 'owned' }
