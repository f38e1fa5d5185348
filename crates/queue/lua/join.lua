-- A job wants a result that another job may already be paying for.
--
-- ARGV  2 id  3 token  4 flight key
-- Returns {'owned'} (pay, then land), {'waiting', id of the owner} (listed as a waiter; the job
--         stays leased), {'landed', how} (a mark that no value can be shared) or {'stale'}.

local id, token, key = ARGV[2], ARGV[3], ARGV[4]
if not holds(id, token) then return { 'stale' } end
local flight = redis.call('HMGET', flight_key(key), 'job', 'token', 'landed')
if flight[3] then
  redis.call('ZREM', waiters_key(key), id)
  drop_line(id, 'awaits', key)
  drop_line(id, 'heir', key)
  return { 'landed', flight[3] }
end
if flight[1] ~= id and flight_is_alive(key) then
  local job = get(id, 'ready_ms', 'priority')
  redis.call('ZADD', waiters_key(key), number(job[1]) - 60000 * number(job[2]), id)
  add_line(id, 'awaits', key)
  drop_line(id, 'heir', key)
  return { 'waiting', flight[1] }
end
redis.call('HSET', flight_key(key), 'job', id, 'token', token)
redis.call('ZREM', waiters_key(key), id)
drop_line(id, 'awaits', key)
drop_line(id, 'heir', key)
add_line(id, 'owns', key)
return { 'owned' }
