-- A worker gives back the jobs that it has ended and claims others for its free slots, in one call.
--
-- Transitions: done, retry, park, dead, release, crash, cancel, claim, promote, unpark, expire.
-- KEYS  ready delayed parked leased done dead cancelled expired deadlines counts wake paused
--       workers landed trash events webhooks
-- ARGV  2 to 6 as `claim`, then from 7 on as `report` from its 2 on
-- Returns {what `report` returns, what `claim` returns}.
-- Before: the caller holds the free slots once its reports are accepted. Repeating it whole answers the
-- same.
-- Rare: claimed_again look_for_due drop_flights finish owe_webhook report_undelivered
-- Rare: answer_repeated flight_at refuse

local claim, reports, words = claim_at(2), reports_at(7), {}
local reported = report_all(reports, words)
local claimed = claim_jobs(claim, words)
publish(words)
return { reported, claimed }
