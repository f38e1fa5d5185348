-- What the scripts of bulk actions share, behind the preamble of all.
--
-- KEYS  as in the preamble.

-- Bulk actions that have ended are kept so long, and so many.
local BULK_ENDED_MS, BULKS_ENDED = 7 * 24 * 3600 * 1000, 1000

local function bulk_key(id) return prefix .. 'bulk:' .. id end
local function bulk_jobs_key(id) return prefix .. 'bulk_jobs:' .. id end

-- Whether `server` may go on with a bulk action: nobody else has done so in their own time.
local function hold_bulk(id, server, hold)
  local held = redis.call('HMGET', bulk_key(id), 'server', 'held_ms')
  if held[1] and held[1] ~= server and number(held[2]) > now then return false end
  redis.call('HSET', bulk_key(id), 'server', server, 'held_ms', text_of(now + hold))
  return true
end

-- Its jobs may be many: their list is freed beside the others' calls.
local function end_bulk(id, state)
  redis.call('HSET', bulk_key(id), 'state', state, 'ended_ms', now)
  redis.call('PEXPIRE', bulk_key(id), BULK_ENDED_MS)
  redis.call('UNLINK', bulk_jobs_key(id))
  redis.call('ZREM', prefix .. 'bulks', id)
  redis.call('ZADD', prefix .. 'bulks_ended', now, id)
  redis.call('ZREMRANGEBYRANK', prefix .. 'bulks_ended', 0, -(BULKS_ENDED + 1))
end
