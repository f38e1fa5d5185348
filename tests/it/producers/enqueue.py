"""A producer without this project's code: redis-py, and the page `The wire` of crates/enqueue.

In: address, queue's name, path of enqueue.lua, and a JSON array of jobs. Out: the answers as JSON.
"""

import json
import sys

import redis

DAY_MS = 24 * 3600 * 1000
FIXED = ["ready", "delayed", "deadlines", "counts", "wake", "events"]


def arguments(job):
    body = {"v": 1, "source": {"text": job["text"]}, "format": job["format"]}
    metadata = json.dumps(job["metadata"]) if "metadata" in job else ""
    terms = [
        job["format"],
        job.get("tenant", "default"),
        job.get("priority", 5),
        job.get("run_at", 0),
        job.get("deadline", 0),
        job.get("max_attempts", 5),
    ]
    # The webhook is taken from the body.
    extras = [job.get("idempotency_key", ""), job.get("traceparent", ""), "", metadata]
    # The script digests the body.
    return [job["id"], json.dumps(body, ensure_ascii=False), "", lines(terms), lines(extras)]


def lines(values):
    return "\n".join(str(value) for value in values)


def main(url, queue, script, jobs):
    prefix = f"{{q:{queue}}}:"
    values = [prefix, DAY_MS]
    for job in json.loads(jobs):
        values += arguments(job)
    client = redis.Redis.from_url(url, decode_responses=True)
    enqueue = client.register_script(open(script, encoding="utf-8").read())
    print(json.dumps(enqueue(keys=[prefix + key for key in FIXED], args=values)))


if __name__ == "__main__":
    main(*sys.argv[1:])
