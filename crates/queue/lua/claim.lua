-- The best-ranked ready jobs go to a worker that has free slots: one a slot, and no more than its share of
-- what waits, so that no worker takes what others have slots for.
--
-- Transitions: claim, promote, unpark, expire.
-- KEYS  ready delayed parked leased done dead cancelled expired deadlines counts wake paused
--       workers landed trash events webhooks
-- ARGV  2 worker  3 nonce  4 lease ms  5 jobs that the worker holds now  6 its free slots, 1 to 500
-- Returns {'jobs', next due ms, then of each job {id, token, body, remaining ms to the deadline,
--          pairs of the job's hash as they stood: `tenant`, `ready_ms` and, where it has one,
--          `traceparent` of a job that was never leased, and all of another one}}, at most OF_A_KIND of them, or {word, next due ms}: `empty` or
--          `paused`.
-- Before: the caller holds the free slots. After: each job is leased under `fence:nonce`, its fence
-- grown by one. Repeating a nonce returns the same jobs while those tokens are leased and prolongs
-- nothing, so a lost reply leases to nobody.
-- Rare: claimed_again look_for_due drop_flights finish refuse

local words = {}
local answer = claim_jobs(claim_at(2), words)
publish(words)
return answer
