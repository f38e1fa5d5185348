-- Why does a job not run? All that decides it, at one moment and at constant cost; the sentence is made
-- of it by whoever asks.
--
-- KEYS  ready leased paused gap_at workers stall_at
-- ARGV  2 id
-- Returns {} for an unknown job, else three lists of texts:
--         pairs of a name and a value: `now` (ms), `ahead` (jobs that are to be claimed before it),
--         `expiry` of its lease, `paused` (since, ms), `gap` and `stall` (when, ms), `probe:<stage>`
--         (when the fleet's next one is due, ms), and fields of its hash;
--         pairs of a worker and its line, at most 100 workers;
--         the jobs that pay for the flights that it waits for.
--         What is not there is left out.

local FIELDS = {
  'state', 'reason', 'attempts', 'max_attempts', 'ready_ms', 'wake_ms', 'deadline_ms', 'worker', 'error',
}
local id = ARGV[2]
local job = get(id, unpack(FIELDS))
if not job[1] then return {} end

local facts = {}
local function say(name, value)
  if not value then return end
  facts[#facts + 1] = name
  facts[#facts + 1] = type(value) == 'number' and text_of(value) or value
end

job[4] = job[4] or DEFAULT_ATTEMPTS
for at, name in ipairs(FIELDS) do say(name, job[at]) end
say('now', now)
say('expiry', redis.call('ZSCORE', leased, id))
say('paused', redis.call('GET', paused))
say('gap', redis.call('GET', gap_at))
say('stall', redis.call('GET', stall_at))
for _, stage in ipairs({ 'any', 'collection', 'transcript', 'tts', 'image', 'encode', 'upload' }) do
  say('probe:' .. stage, redis.call('HGET', probes_key(stage), 'next'))
end

local before = '(' .. text_of(rank(id))
say('ahead', redis.call('ZRANK', ready, id) or redis.call('ZCOUNT', ready, '-inf', before))

local owners = {}
for _, key in ipairs(lines(redis.call('HGET', job_key(id), 'awaits'))) do
  owners[#owners + 1] = owner_of(key)
end
return { facts, redis.call('HRANDFIELD', workers, 100, 'WITHVALUES'), owners }
