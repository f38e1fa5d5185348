-- The one way out of a lease for the worker that holds it: of one, or of several at once.
--
-- Transitions: done, retry, park, dead, release, crash, cancel, expire, unpark.
-- KEYS  ready delayed parked leased done dead cancelled expired deadlines wake landed trash
--       events webhooks
-- ARGV  2 interruptions without a checkpoint that end a job  3 error for too many of them (JSON)
--       4 crashes without a checkpoint that end a job, by the error of its report
--       then each report, as `report_at` reads it, at most REPORTS_A_CALL
-- Returns one of these a report, in order: {'accepted', state}, {'stale', state or ''}, or {'go-on', ''}:
--         a flight that the job wants to wait for has landed or lost its owner, so the job stays leased;
--         its cost is kept.
-- After `accepted`: the job is in `state`. Repeating a report that was accepted answers the same.
-- Rare: drop_flights owe_webhook report_undelivered answer_repeated flight_at refuse

local words = {}
local answers = report_all(reports_at(2), words)
publish(words)
return answers
