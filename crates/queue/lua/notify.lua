-- Whoever sends webhooks takes deliveries that are due, each for a time: one whose sender dies in the
-- middle is due again by that.
--
-- KEYS  ready webhooks webhooks_off
-- ARGV  2 nonce  3 at most so many, 1-100  4 ms for which they are the caller's
--       5 attempts of one delivery  6 ms for which one must have been due (0 = none: what another
--       sender, who can sign, would have taken)
-- Returns the ms until the next one is due (-1 = none is), then of each its id, token, attempt (from 1),
--         event (the `webhook-id`, the same for all attempts) and the values of WEBHOOK_FACTS
--         ('' = none)
-- After: each of them is due again in so many ms, and its attempt is counted. One without attempts
-- left is exhausted, one to an endpoint that is off is off, and neither is handed out.

local nonce, most = name_at(2, 'nonce'), whole(3, 'deliveries', JOBS_A_SCRIPT)
local lease_ms, max_tries = whole(4, 'lease', MAX_SPAN), whole(5, 'attempts', 1000)
local overdue_ms = whole(6, 'overdue', MAX_SPAN)
local answer = { 0 }

local function hand_out(id, facts, known)
  local tries = number(known[1]) + 1
  local token = text_of(tries) .. ':' .. nonce
  redis.call('HSET', webhook_key(id), 'tries', tries, 'token', token)
  redis.call('ZADD', webhooks, now + lease_ms, id)
  -- The end of a job, whatever queue it was in, has one name.
  local event = redis.sha1hex(table.concat({ prefix, id, known[2] or '', facts[5] or '' }, '/'))
  local row = { id, token, tries, 'evt_' .. event }
  for at = 1, #WEBHOOK_FACTS do row[#row + 1] = facts[at] or '' end
  answer[#answer + 1] = row
end

for _, id in ipairs(take_due(webhooks, now - overdue_ms, most)) do
  local facts = redis.call('HMGET', webhook_key(id), unpack(WEBHOOK_FACTS))
  local known = redis.call('HMGET', webhook_key(id), 'tries', 'event', 'once')
  if not facts[1] then
    redis.call('ZREM', webhooks, id)
  elseif redis.call('HEXISTS', webhooks_off, endpoint(facts[2], facts[1])) == 1 then
    settle_webhook(id, 'off')
  elseif number(known[1]) >= max_tries and not known[3] then
    settle_webhook(id, 'exhausted')
  else
    hand_out(id, facts, known)
  end
end
local first = redis.call('ZRANGE', webhooks, 0, 0, 'WITHSCORES')
answer[1] = first[2] and math.max(0, number(first[2]) - now) or -1
return answer
