-- The owner of a flight has its result: the waiters look again.
--
-- Transitions: unpark.
-- KEYS  ready parked deadlines wake landed events
-- ARGV  2 id  3 token  4 flight key
--       5 how: `stored` (the value can be recalled), `unshared` (it could not be stored) or
--         `permanent <error JSON>` (this input can never succeed)
-- Returns 'ok', or 'stale' when the caller does not own the flight under this token.
-- After: a stored value needs no flight; the other answers stay as a mark for 60 s.

-- Rare: refuse drop_line wake_waiters

local id, token, key, how = ARGV[2], ARGV[3], flight_at(4), ARGV[5]
if not how then refuse('result') end
local flight = redis.call('HMGET', flight_key(key), 'job', 'token')
local job = get(id, 'state', 'token', 'owns')
local is_owner = flight[1] == id and flight[2] == token
if not (is_current(job, token) and is_owner) then return 'stale' end
redis.call('DEL', flight_key(key))
if how ~= 'stored' then
  redis.call('HSET', flight_key(key), 'landed', how)
  redis.call('EXPIRE', flight_key(key), FLIGHT_MARK_S)
end
if job[3] == key then redis.call('HDEL', job_key(id), 'owns') else drop_line(id, 'owns', key, job[3]) end
if redis.call('EXISTS', waiters_key(key), landed) > 0 then wake_waiters(key, JOBS_A_SCRIPT) end
return 'ok'
