-- The limits of providers' accounts, for `admit` and `settle`, and the budgets of tenants, for `spend` and
-- `afford`. In parts, as the preamble.
--
-- KEYS  those that the parts name

-- Of what an account allows, so much is used: calls do not arrive as evenly as they leave.
local USED_SHARE = 0.95

-- What may begin at once after a rest, as the ms in which the account allows as much; one call always.
local BURST_MS = { requests = 500, tokens = 6000 }

-- Nobody is held up longer by what is kept here, however wrong it is: a clock set back, a header misread.
local LONGEST_MS = 10 * 60 * 1000

local function limit_key(account) return prefix .. 'limit:' .. account end

local function in_flight_key(account) return prefix .. 'in_flight:' .. account end

-- A million dollars; and a day, in days since the epoch, that no clock of ours reaches.
local MOST_MILLIONTHS = 1e12
local MAX_DAY = 1e6

local DAY_MS = 24 * 3600 * 1000

local function budget_key(tenant, day) return prefix .. 'budget:' .. tenant .. ':' .. text_of(day) end

local function soon(at) return math.min(number(at), now + LONGEST_MS) end

-- The ms that one request or token takes by what operators have set, and while it is fresh by what the
-- provider has told; 0 = nobody limits it.
local function gap_of(a_minute, told, told_until)
  local set = a_minute > 0 and 60000 / (a_minute * USED_SHARE) or 0
  local is_fresh = number(told_until) > now and number(told_until) <= now + LONGEST_MS
  return math.max(set, is_fresh and number(told) or 0)
end

local function keep_limit(account, ...)
  redis.call('HSET', limit_key(account), ...)
  redis.call('PEXPIRE', limit_key(account), 2 * LONGEST_MS)
end

local function decimal(value) return string.format('%.3f', value) end
