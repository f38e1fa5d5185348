-- A person sends a dead job round again; its checkpoints stay.
--
-- Transitions: replay.
-- KEYS  ready dead deadlines counts wake trash events audit
-- ARGV  2 id  3 by  4 interface  5 why
-- Returns {'ready'}, {'not-dead', state}, {'unknown'}, {'body-gone'} or {'duplicate', id of the
--         job that now holds the idempotency key}. What is ready has its line in the audit.

local id, who = ARGV[2], actor()
local job = get(id, 'state', 'tenant', 'idempotency_key', 'deadline_len_ms')
if not job[1] then return { 'unknown' } end
if job[1] ~= 'dead' then return { 'not-dead', job[1] } end
if redis.call('EXISTS', body_key(id)) == 0 then return { 'body-gone' } end
local idem = job[3] and prefix .. 'idem:' .. job[2] .. '/' .. job[3]
local owner = idem and redis.call('GET', idem)
if owner and owner ~= id then return { 'duplicate', owner } end

redis.call('ZREM', dead, id)
redis.call('ZREM', trash, job[2] .. '/' .. id)
redis.call('PERSIST', body_key(id))
if idem then redis.call('SET', idem, id) end
redis.call('HDEL', job_key(id), 'attempts', 'crashes', 'stalls', 'interruptions', 'finished_ms',
  'error', 'percent', 'stage', 'started_ms', 'rank_ms')
redis.call('HSET', job_key(id), 'ready_ms', now, 'deadline_ms', now + number(job[4]))
rank_from(id, now, rank_ahead())
make_ready(id)
note(who, 'replay', 'ready', { job = id, tenant = job[2] })
return { 'ready' }
