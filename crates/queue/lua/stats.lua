-- One consistent look at the whole queue, at constant cost: the oracle of conservation (I1).
--
-- Returns {enqueued, purged, delayed, ready (solo included), parked, leased, done, dead,
--          cancelled, expired, due delayed, due parked, solo, age ms of the first ready job
--          (-1 = none), 1 if paused, workers, gap_at (0 = never), now ms, trash}

local function card(of) return redis.call('ZCARD', of) end

local oldest = -1
local first = redis.call('ZRANGE', ready, 0, 0)[1] or redis.call('ZRANGE', solo, 0, 0)[1]
if first then oldest = math.max(0, now - number(redis.call('HGET', job_key(first), 'ready_ms'))) end
return {
  number(redis.call('HGET', counts, 'enqueued')), number(redis.call('HGET', counts, 'purged')),
  card(delayed), card(ready) + card(solo), card(parked), card(leased),
  card(done), card(dead), card(cancelled), card(expired),
  redis.call('ZCOUNT', delayed, '-inf', now), redis.call('ZCOUNT', parked, '-inf', now),
  card(solo), oldest, redis.call('EXISTS', paused), redis.call('HLEN', workers),
  number(redis.call('GET', gap_at)), now, card(trash),
}
