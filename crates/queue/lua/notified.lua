-- What became of one attempt to deliver a webhook.
--
-- KEYS  ready counts webhooks webhooks_off audit
-- ARGV  2 id  3 token  4 outcome:
--         delivered   the receiver took it
--         failed      the next attempt is due in so many ms
--         exhausted   it was the last attempt
--         off         the receiver wants no more of it: nothing is sent to this endpoint of the tenant
--                     until a person has something sent again
--         held        it was not sent, so no attempt was used; due again in so many ms
--       5 ms until it is due again (failed, held)  6 why it is held: due, no-secret
--       7 the attempt (JSON, at most 2 KiB, '' = none)  8 the answer's beginning (at most 4 KiB)
-- Returns {'ok', where the delivery stands} or {'stale', ''}: another attempt has begun, the job has
--         ended anew, or the delivery is gone
-- After: of the attempts the latest OF_A_KIND are kept, of their answers the latest three.

local id, token = ARGV[2], ARGV[3]
local outcome = one_of(4, 'outcome', 'delivered', 'failed', 'exhausted', 'off', 'held')
local delay, why = whole(5, 'delay', MAX_SPAN), one_of(6, 'reason', 'due', 'no-secret')
local attempt, text = ARGV[7] or '', ARGV[8] or ''
if #attempt > 2048 then refuse('attempt') end
if #text > 4096 then refuse('answer') end
local OF_A_KIND, ANSWERS, ENDPOINTS = 16, 3, 1000

local key = webhook_key(id)
local known = redis.call('HMGET', key, 'token', 'once', 'tenant', 'webhook', 'sent')
if token == '' or known[1] ~= token then return { 'stale', '' } end

local function note()
  if attempt == '' then return end
  local sent = number(known[5]) + 1
  redis.call('HSET', key, 'sent', sent, 'attempt' .. sent, attempt)
  if text ~= '' then redis.call('HSET', key, 'answer' .. sent, text) end
  redis.call('HDEL', key, 'attempt' .. sent - OF_A_KIND, 'answer' .. sent - ANSWERS)
end

local function due_again(word)
  redis.call('HDEL', key, 'token')
  redis.call('ZADD', webhooks, now + delay, id)
  show_delivery(id, word)
  return { 'ok', word }
end

local function settled(word)
  settle_webhook(id, word)
  return { 'ok', word }
end

note()
if outcome == 'held' then
  redis.call('HINCRBY', key, 'tries', -1)
  return due_again(why)
elseif outcome == 'off' then
  -- So many are enough to find the fault; a crowd of them must not fill Redis.
  if redis.call('HLEN', webhooks_off) < ENDPOINTS then
    redis.call('HSETNX', webhooks_off, endpoint(known[3], known[4]), text_of(now))
  end
  return settled('off')
elseif outcome == 'delivered' then
  return settled('delivered')
elseif outcome == 'failed' and not known[2] then
  return due_again('due')
end
return settled('exhausted')
