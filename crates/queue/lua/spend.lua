-- What a tenant may spend in a day (UTC): takes the price of a call out of it before the call, and puts it
-- right behind it. Needs no token: nothing of a job changes. Who dies in between has spent what it took.
--
-- KEYS  ready
-- ARGV  2 'take' or 'settle'  3 tenant  4 millionths of a dollar: what the call is to cost, or has cost
--       5 for 'take': what the tenant may spend in a day, in millionths  6 the day, where it is not today: 0 is no
--         day of anybody's, and holds what an errand may spend in all
--       5 for 'settle': the day, as 'take' has answered it  6 millionths that 'take' has taken
-- Returns { word, number }: 'taken' and the day; 'spent' and the ms until the next day, when the price is
--         more than is left, and then nothing is taken; 'settled' and the millionths spent that day
--
-- Before: anything. Kept for two days from its last call: for a day after the day's end. The lowest price that was refused is kept beside it:
-- as long as that is more than is left, nobody need ask again (`afford`).

local act = one_of(2, 'act', 'take', 'settle')
local tenant, price = name_at(3, 'tenant'), whole(4, 'price', MOST_MILLIONTHS)
local today = math.floor(now / DAY_MS)

local function keep(day, field, value)
  redis.call('HSET', budget_key(tenant, day), field, text_of(value))
  redis.call('PEXPIRE', budget_key(tenant, day), 2 * DAY_MS)
end

local function take()
  local budget = whole(5, 'budget', MOST_MILLIONTHS)
  local day = ARGV[6] and whole(6, 'day', MAX_DAY) or today
  local kept = redis.call('HMGET', budget_key(tenant, day), 'spent', 'refused')
  local spent = number(kept[1])
  if price > 0 and spent + price > budget then
    if not kept[2] or price < number(kept[2]) then keep(day, 'refused', price) end
    return { 'spent', math.ceil((today + 1) * DAY_MS - now) }
  end
  keep(day, 'spent', spent + price)
  return { 'taken', day }
end

local function settle()
  local day, taken = whole(5, 'day', MAX_DAY), whole(6, 'price', MOST_MILLIONTHS)
  local spent = number(redis.call('HGET', budget_key(tenant, day), 'spent'))
  local after = math.max(spent + price - taken, 0)
  keep(day, 'spent', after)
  return { 'settled', after }
end

return act == 'take' and take() or settle()
