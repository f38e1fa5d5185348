"""What a Python program does with the client. In: the server's address, one that loses an answer now and
then, a token, a file to be written. Out: what it has seen, as JSON."""

import json
import sys

from stillcast import Client, JobFailed, JobRequest, Problem

url, lossy, token, file = sys.argv[1:]
request: JobRequest = {"source": {"text": "A long day by the sea."}, "format": "audio"}
seen: dict[str, object] = {}

# Its first answer is lost: the client asks again, by the same key.
with Client(lossy, token) as client:
    first = client.enqueue(request)

with Client(url, token) as client:
    seen["jobs"] = len(list(client.jobs(limit=1)))
    # Another one than the first: whoever speaks a text that two jobs share keeps its words.
    other: JobRequest = {**request, "options": {"variant": 1}}
    again = client.enqueue(other, idempotency_key="evening-py")
    seen["duplicate"] = client.enqueue(other, idempotency_key="evening-py")["duplicate"]
    seen["states"] = [job["state"] for job in client.events(first["id"])][-1:]
    done = client.wait(again["id"], timeout=120)
    seen["filtered"] = [job["id"] == done["id"] for job in client.jobs(filter=f"id:{done['id']}")]
    client.download(done["id"], file)
    seen["bytes"] = done["artifact"] is not None and done["artifact"]["bytes"]
    seen["captions"] = client.extra(done["id"], "captions.vtt")[:6].decode()
    seen["words"] = len(client.transcript(done["id"]).split()) > 5

    for wrong in (lambda: client.enqueue({**request, "priority": 10}), lambda: client.job("nobody")):
        try:
            wrong()
        except Problem as problem:
            told = [problem.status, problem.code, problem.retryable, problem.errors[:1]]
            seen.setdefault("problems", []).append(told)  # type: ignore[attr-defined]

    late = client.enqueue({**request, "run_at": "2999-01-01T00:00:00Z"})
    plan = client.plan_bulk("cancel", "state:delayed")
    while plan["jobs"] == 0:
        plan = client.plan_bulk("cancel", "state:delayed")
    begun = client.begin_bulk(plan)
    try:
        client.wait(late["id"], timeout=60)
    except JobFailed as failed:
        seen["failed"] = failed.job["state"]
    while client.bulk(begun["id"])["state"] != "done":
        pass
    seen["bulk"] = client.begin_bulk(plan)["granted"]
    client.purge(late["id"])

print(json.dumps(seen))
