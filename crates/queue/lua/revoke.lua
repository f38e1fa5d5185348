-- A worker whose process is known to be dead holds nothing any more: its leases are over now, and the next
-- reap ends them as it ends any other.
--
-- KEYS  ready leased
-- ARGV  2 worker  3 the place among the leases from which on to look, 0 = at the first one
-- Returns {how many leases are over, the place from which on to look next, -1 = none}
-- Before: the caller has proof. Repeating it changes nothing.
-- Rare: refuse

local worker, place = name_at(2, 'worker'), whole(3, 'place', MAX_SPAN)
local ids = redis.call('ZRANGE', leased, place, place + JOBS_A_SCRIPT - 1)
local over = 0
for _, id in ipairs(ids) do
  if redis.call('HGET', job_key(id), 'worker') == worker then
    redis.call('ZADD', leased, 'XX', 'LT', text_of(now - 1), id)
    over = over + 1
  end
end
return { over, #ids == JOBS_A_SCRIPT and place + JOBS_A_SCRIPT or -1 }
