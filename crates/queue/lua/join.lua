-- A job wants a result that another job may already be paying for.
--
-- KEYS  ready
-- ARGV  2 id  3 token  4 flight key
-- Returns {'owned'} (pay, then land), {'waiting', id of the owner} (listed as a waiter; the job
--         stays leased), {'landed', how} (a mark that no value can be shared) or {'stale'}.

local id, token, key = ARGV[2], ARGV[3], flight_at(4)
if not holds(id, token) then return { 'stale' } end
drop_line(id, 'heir', key)
local owner = owner_of(key)
if owner and owner ~= id then
  redis.call('ZADD', waiters_key(key), rank(id), id)
  add_line(id, 'awaits', key)
  return { 'waiting', owner }
end
redis.call('ZREM', waiters_key(key), id)
drop_line(id, 'awaits', key)
local how = redis.call('HGET', flight_key(key), 'landed')
if how then return { 'landed', how } end
redis.call('HSET', flight_key(key), 'job', id, 'token', token)
add_line(id, 'owns', key)
return { 'owned' }
