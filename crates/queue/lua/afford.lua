-- Which jobs that wait for their tenants' next day need not wait any more, since a budget was raised or a call
-- was cheaper than its price: they are due at once, and the next claim or reap lets them go. Of each tenant as
-- many as could pay the lowest price that it was refused.
--
-- KEYS  ready parked
-- ARGV  2 how many of the jobs that are parked for longer to pass by  3 tenant ('*' = all others)  4 what it may
--       spend in a day, in millionths of a dollar; and so on, at most 200 such pairs
-- Returns { woken, next }: how many are due now, and how many to pass by in the next call; -1 at the end
--
-- Before: anything. What one call has woken has not spent yet when the next one looks: so it wakes a few too
-- many, which park again.

local first, most = whole(2, 'number', MAX_SPAN), JOBS_A_SCRIPT
local pairs_given = (#ARGV - 2) / 2
if pairs_given ~= math.floor(pairs_given) or pairs_given > 200 then refuse('number of budgets') end
local budgets, left = {}, {}
for at = 3, #ARGV, 2 do
  local tenant = ARGV[at] == '*' and '*' or name_at(at, 'tenant')
  budgets[tenant] = whole(at + 1, 'budget', MOST_MILLIONTHS)
end

-- How many jobs of a tenant can go on: all of them where nobody limits it any more.
local function left_of(tenant)
  local budget = budgets[tenant] or budgets['*']
  if not budget then return math.huge end
  local kept = redis.call('HMGET', budget_key(tenant, math.floor(now / DAY_MS)), 'spent', 'refused')
  return math.floor((budget - number(kept[1])) / math.max(number(kept[2]), 1))
end

local after = '(' .. text_of(now)
local waiting = redis.call('ZRANGEBYSCORE', parked, after, '+inf', 'LIMIT', first, most)
local woken = 0
for _, id in ipairs(waiting) do
  local job = get(id, 'reason', 'tenant')
  if job[1] == 'budget' and job[2] then
    left[job[2]] = left[job[2]] or left_of(job[2])
    if left[job[2]] > 0 then
      left[job[2]] = left[job[2]] - 1
      redis.call('HSET', job_key(id), 'wake_ms', text_of(now))
      redis.call('ZADD', parked, now, id)
      woken = woken + 1
    end
  end
end
return { woken, #waiting < most and -1 or first + #waiting - woken }
