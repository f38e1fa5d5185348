-- A person has the end of a job told once more, at once. What is still owed goes on by its schedule
-- after that; anything else has this one attempt.
--
-- KEYS  ready counts webhooks webhooks_off audit
-- ARGV  2 id  3 by  4 interface  5 why
-- Returns {'due'}, {'not-ended', state}, {'none'} (nobody has asked to be told) or {'unknown'}.
-- After `due`: the endpoint is no longer off, and the audit has a line.

local id, who = ARGV[2], actor()
local job = get(id, 'state', 'webhook', 'delivery', 'tenant')
if not job[1] then return { 'unknown' } end
if not job[2] then return { 'none' } end
if not job[3] then return { 'not-ended', job[1] } end
redis.call('HDEL', webhooks_off, endpoint(job[4], job[2]))
note(who, 'resend-webhook', 'due', { job = id, tenant = job[4] })
if redis.call('ZSCORE', webhooks, id) then
  -- One that is under way is sent now.
  local under_way = redis.call('HEXISTS', webhook_key(id), 'token') == 1
  if not under_way then redis.call('ZADD', webhooks, 'LT', now, id) end
  return { 'due' }
end
redis.call('HSET', webhook_key(id), 'once', 1)
redis.call('ZADD', webhooks, now, id)
show_delivery(id, 'due')
return { 'due' }
