-- What a worker has counted since it last said so goes into the history: the newest slot of each of three
-- rings. The first call in a slot also looks how deep the queue is, and how long its oldest jobs wait.
--
-- KEYS  ready solo delayed parked leased done dead cancelled expired workers history_minutes
--       history_quarters history_hours history_names
-- ARGV  then a name and a count for each thing counted, at most 240 of them: names of at most 96 of
--       a-z 0-9 : / . _ -, counts whole
-- Returns {slots that were begun, names that found no room}
-- After: each count is added to its name, in `history_minutes` (6 h), `history_quarters` (3 d) and
-- `history_hours` (30 d, two hours each). A slot is a list: its number, then pairs of a name's number and
-- a count. A ring has a fixed number of slots, so that the newest takes the place of the oldest; names are
-- numbered in `history_names`, at most 2,000, and those beyond are not counted.

local RINGS = { { history_minutes, 60, 360 }, { history_quarters, 900, 288 }, { history_hours, 7200, 360 } }
local MAX_NAMES, MAX_PAIRS, MAX_COUNT = 2000, 240, 2 ^ 49
-- Jobs that are looked at for the oldest of each reason.
local LOOKED_AT = JOBS_A_SCRIPT / 2

if #ARGV % 2 == 0 or #ARGV > 1 + 2 * MAX_PAIRS then refuse('number of counts') end
local names, counted = {}, {}
for at = 2, #ARGV, 2 do
  if #ARGV[at] > 96 or not string.find(ARGV[at], '^[a-z0-9:/._-]+$') then refuse('name') end
  names[#names + 1] = ARGV[at]
  counted[ARGV[at]] = (counted[ARGV[at]] or 0) + whole(at + 1, 'count', MAX_COUNT)
end

local roomless = 0

-- The numbers of names; new ones get the next.
local function numbers_of(wanted)
  local numbers = {}
  if #wanted == 0 then return numbers end
  local known = redis.call('HMGET', history_names, unpack(wanted))
  local last = redis.call('HLEN', history_names)
  for at, name in ipairs(wanted) do
    if known[at] then
      numbers[name] = tonumber(known[at])
    elseif not numbers[name] and last < MAX_NAMES then
      last = last + 1
      redis.call('HSET', history_names, name, last)
      numbers[name] = last
    elseif not numbers[name] then
      roomless = roomless + 1
    end
  end
  return numbers
end

-- The oldest job that waits for a reason, among the first of an index.
local function oldest_of(of, seen)
  for _, id in ipairs(redis.call('ZRANGE', of, 0, LOOKED_AT - 1)) do
    local job = get(id, 'reason', 'ready_ms', 'attempts')
    local reason = job[1] or (number(job[3]) > 0 and 'back-off')
    local age = math.floor((now - number(job[2])) / 1000)
    if reason and age > (seen['oldest:' .. reason] or 0) then seen['oldest:' .. reason] = age end
  end
end

-- What stands at this moment, by name.
local function look()
  local seen = {}
  for state, of in pairs(index) do seen['depth:' .. state] = redis.call('ZCARD', of) end
  seen['depth:ready'] = seen['depth:ready'] + redis.call('ZCARD', solo)
  local first = redis.call('ZRANGE', ready, 0, 0)[1] or redis.call('ZRANGE', solo, 0, 0)[1]
  if first then
    local since = number(redis.call('HGET', job_key(first), 'ready_ms'))
    seen['oldest:ready'] = math.max(0, math.floor((now - since) / 1000))
  end
  oldest_of(parked, seen)
  oldest_of(delayed, seen)
  seen['workers'] = redis.call('HLEN', workers)
  return seen
end

local function slot_of(ring)
  local key, span, length = unpack(ring)
  local at = math.floor(now / 1000 / span)
  local packed = redis.call('HGET', key, at % length)
  local read, slot = false, nil
  if packed then read, slot = pcall(cmsgpack.unpack, packed) end
  if read and type(slot) == 'table' and slot[1] == at then return slot, false end
  return { at }, true
end

local function add_to(slot, counts_by_number)
  local places = {}
  for at = 2, #slot, 2 do places[slot[at]] = at + 1 end
  for name_number, count in pairs(counts_by_number) do
    local place = places[name_number]
    if place then
      slot[place] = slot[place] + count
    else
      slot[#slot + 1] = name_number
      slot[#slot + 1] = count
    end
  end
end

local function by_number(counts_by_name, numbers)
  local found = {}
  for name, count in pairs(counts_by_name) do
    if numbers[name] and count > 0 then found[numbers[name]] = count end
  end
  return found
end

local added = by_number(counted, numbers_of(names))
local begun, seen = 0, nil
for _, ring in ipairs(RINGS) do
  local slot, is_new = slot_of(ring)
  if is_new then
    if not seen then
      local looked, wanted = look(), {}
      for name in pairs(looked) do wanted[#wanted + 1] = name end
      table.sort(wanted)
      seen = by_number(looked, numbers_of(wanted))
    end
    begun = begun + 1
    add_to(slot, seen)
  end
  add_to(slot, added)
  if is_new or next(added) then
    redis.call('HSET', ring[1], slot[1] % ring[3], cmsgpack.pack(slot))
  end
end
return { begun, roomless }
