"""The client: each method is one request, tried again where that is safe."""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import httpx

from .errors import JobFailed, Problem, TimedOut, Unreachable
from .types import (
    ENDED,
    Accepted,
    Action,
    BulkPlan,
    BulkRecord,
    JobList,
    JobRecord,
    JobRequest,
    OptionsRequest,
    ReplayRequest,
    Stage,
    State,
)

#: The longest wait that one request asks for, in seconds.
LONGEST_WAIT = 30
#: A stream of events that is silent for so long is dead: the server gives a sign of life each 15 s.
LONGEST_SILENCE = 45.0
#: The longest pause before another try, in seconds.
LONGEST_PAUSE = 30.0


class Client:
    """Talks to one Stillcast server.

    ``token`` is one of the server's ``API_TOKENS``; without any, only its own machine is answered.
    Each request is tried up to ``tries`` times when the server says that this may help, or when no
    answer comes; a job's request carries the same idempotency key each time, so it stays one job.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = 10.0, tries: int = 5
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self._timeout = timeout
        self._silence = httpx.Timeout(timeout, read=LONGEST_SILENCE)
        self._tries = tries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def enqueue(self, request: JobRequest, *, idempotency_key: str | None = None) -> Accepted:
        """Brings a job in; with the same key, it is the same job."""
        key = idempotency_key or request.get("idempotency_key") or str(uuid.uuid4())
        answer = self._send("POST", "/v1/jobs", json=request, headers={"idempotency-key": key})
        return cast(Accepted, answer)

    def job(self, job: str) -> JobRecord:
        """The record of a job."""
        return cast(JobRecord, self._send("GET", _path(job)))

    def jobs(
        self, *, filter: str | None = None, state: State | None = None, limit: int = 50
    ) -> Iterator[JobRecord]:
        """Every job that the filter means, page after page."""
        query: dict[str, str | int] = {"limit": limit}
        query |= {"filter": filter} if filter is not None else {}
        query |= {"state": state} if state is not None else {}
        while True:
            page = cast(JobList, self._send("GET", "/v1/jobs", params=query))
            yield from page["jobs"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def wait(self, job: str, *, timeout: float | None = None) -> JobRecord:
        """The record of a delivered job, once it is; :class:`JobFailed` if it ended otherwise."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_WAIT if until is None else max(0.0, until - time.monotonic())
            wait = min(LONGEST_WAIT, int(left) + 1)
            params: dict[str, str | int] = {"wait": wait}
            answer = self._send("GET", _path(job), params=params, timeout=wait + self._timeout)
            record = cast(JobRecord, answer)
            if record["state"] == "done":
                return record
            if record["state"] in ENDED:
                raise JobFailed(record)
            if until is not None and time.monotonic() >= until:
                raise TimedOut(f"the job {job} is {record['state']}")

    def events(self, job: str) -> Iterator[JobRecord]:
        """The record of a job at once, at each change, and at its end, whatever becomes of the wire."""
        seen: str | None = None
        failures = 0
        while True:
            headers = {"last-event-id": seen} if seen is not None else {}
            try:
                with self._http.stream(
                    "GET", _path(job, "events"), headers=headers, timeout=self._silence
                ) as answer:
                    if not answer.is_success:
                        answer.read()
                        raise _problem(answer)
                    for name, identifier, data in _events(answer.iter_lines()):
                        failures = 0
                        if name == "end":
                            return
                        seen = identifier
                        yield cast(JobRecord, json.loads(data))
                    raise httpx.RemoteProtocolError("the stream has ended before the job")
            except (httpx.TransportError, Problem) as error:
                failures += 1
                self._pause(error, failures)

    def transcript(self, job: str) -> str:
        """The words of a job."""
        return self._request("GET", _path(job, "transcript")).text

    def download(self, job: str, to: str | os.PathLike[str]) -> None:
        """Writes the finished file of a job."""
        path = _path(job, "artifact")
        with self._http.stream("GET", path, follow_redirects=True) as answer:
            if not answer.is_success:
                answer.read()
                raise _problem(answer)
            with open(to, "wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)

    def extra(self, job: str, name: str) -> bytes:
        """A file beside the finished one, such as `captions.vtt`."""
        return self._request("GET", _path(job, f"extras/{name}")).content

    def cancel(self, job: str) -> None:
        """Ends a job; repeating it is harmless."""
        self._send("POST", _path(job, "cancel"))

    def replay(
        self, job: str, stage: Stage | None = None, options: OptionsRequest | None = None
    ) -> None:
        """Sends a dead job round again; from a stage on, or with other options, that is made anew."""
        body: ReplayRequest = {"from": stage, "options": options}
        self._send("POST", _path(job, "replay"), json=body)

    def resend_webhook(self, job: str) -> None:
        """Tells the end of a job once more."""
        self._send("POST", _path(job, "webhook/resend"))

    def purge(self, job: str) -> None:
        """Removes an ended job and its files."""
        self._send("DELETE", _path(job))

    def plan_bulk(self, action: Action, filter: str) -> BulkPlan:
        """What would happen to how many jobs, and what it may cost. Nothing happens yet."""
        body = {"action": action, "filter": filter}
        return cast(BulkPlan, self._send("POST", "/v1/jobs/bulk", json=body))

    def begin_bulk(self, plan: BulkPlan) -> BulkRecord:
        """Begins what was planned; it happens once, however often it is begun."""
        return cast(BulkRecord, self._send("POST", "/v1/jobs/bulk", json={"plan": plan["plan"]}))

    def bulk(self, bulk: str) -> BulkRecord:
        """How far a bulk action is."""
        return cast(BulkRecord, self._send("GET", f"/v1/bulk/{quote(bulk, safe='')}"))

    def stop_bulk(self, bulk: str) -> BulkRecord:
        """Stops a bulk action where it stands."""
        return cast(BulkRecord, self._send("POST", f"/v1/bulk/{quote(bulk, safe='')}/stop"))

    def _send(self, method: str, path: str, **more: Any) -> object:
        return self._request(method, path, **more).json()

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        failures = 0
        while True:
            try:
                answer = self._http.request(method, path, **more)
                if answer.is_success:
                    return answer
                raise _problem(answer)
            except (httpx.TransportError, Problem) as error:
                failures += 1
                self._pause(error, failures)

    def _pause(self, error: httpx.TransportError | Problem, failures: int) -> None:
        """Waits before another try, or raises when none can help."""
        is_over = failures >= self._tries
        if isinstance(error, Problem):
            if is_over or not error.retryable:
                raise error
        elif is_over:
            raise Unreachable(f"no answer after {failures} tries: {error}") from error
        # Full jitter, so that many clients do not come back together.
        pause = random.uniform(0.0, min(LONGEST_PAUSE, 0.2 * 2.0**failures))
        asked = error.retry_after if isinstance(error, Problem) else None
        time.sleep(min(LONGEST_PAUSE, max(pause, asked or 0.0)))


def _path(job: str, part: str | None = None) -> str:
    path = f"/v1/jobs/{quote(job, safe='')}"
    return path if part is None else f"{path}/{part}"


def _problem(answer: httpx.Response) -> Problem:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    asked = answer.headers.get("retry-after", "")
    retry_after = float(asked) if asked.isdigit() else None
    return Problem(answer.status_code, body if isinstance(body, dict) else {}, retry_after)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """Whole events: name, identifier, data."""
    fields: dict[str, str] = {}
    for line in lines:
        if line == "":
            if "event" in fields:
                yield fields["event"], fields.get("id", ""), fields.get("data", "")
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
