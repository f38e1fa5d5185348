-- One consistent look at the whole queue, at constant cost: the oracle of conservation (I1).
--
-- KEYS  ready solo delayed parked leased done dead cancelled expired counts paused gap_at workers
--       trash webhooks webhooks_off
-- Returns pairs of a name and a number: `enqueued`, `purged`, one for each state (`ready` includes what
--         an older worker has put into `solo`), `due_delayed`, `due_parked`, `oldest_ms` (age of the first ready job,
--         -1 = none), `paused` (1 if so), `workers`, `gap_ms` (when a gap began, 0 = never),
--         `now_ms`, `trash`, `webhooks_owed` (ends that are still to be told), `webhooks_off`
--         (endpoints that want no more)

local function card(of) return redis.call('ZCARD', of) end

local oldest = -1
local first = redis.call('ZRANGE', ready, 0, 0)[1] or redis.call('ZRANGE', solo, 0, 0)[1]
if first then oldest = math.max(0, now - number(redis.call('HGET', job_key(first), 'ready_ms'))) end
return {
  'enqueued', number(redis.call('HGET', counts, 'enqueued')),
  'purged', number(redis.call('HGET', counts, 'purged')),
  'delayed', card(delayed), 'ready', card(ready) + card(solo),
  'parked', card(parked), 'leased', card(leased), 'done', card(done), 'dead', card(dead),
  'cancelled', card(cancelled), 'expired', card(expired),
  'due_delayed', redis.call('ZCOUNT', delayed, '-inf', now),
  'due_parked', redis.call('ZCOUNT', parked, '-inf', now),
  'oldest_ms', oldest,
  'paused', redis.call('EXISTS', paused), 'workers', redis.call('HLEN', workers),
  'gap_ms', number(redis.call('GET', gap_at)), 'now_ms', now, 'trash', card(trash),
  'webhooks_owed', card(webhooks), 'webhooks_off', redis.call('HLEN', webhooks_off),
}
