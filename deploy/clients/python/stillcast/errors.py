"""What can go wrong, one class each."""

from __future__ import annotations

from typing import Any

from .types import JobRecord


class StillcastError(Exception):
    """Anything that this client raises."""


class Unreachable(StillcastError):
    """No answer came, however often it was tried. The job may stand: the same key finds out."""


class TimedOut(StillcastError):
    """The job had not ended when the time was over; it goes on."""


class JobFailed(StillcastError):
    """The job has ended without a file; its record says why."""

    def __init__(self, job: JobRecord) -> None:
        self.job = job
        error = job["error"]
        said = f": {error['code']}: {error['message']}" if error else ""
        super().__init__(f"the job {job['id']} is {job['state']}{said}")


class Problem(StillcastError):
    """The server has refused the request, and says why (RFC 9457)."""

    def __init__(self, status: int, body: dict[str, Any], retry_after: float | None) -> None:
        self.status = status
        #: The word for programs; it never changes.
        self.code: str = body.get("code", "unknown")
        self.detail: str = body.get("detail", "")
        #: Whether the same request may succeed later.
        self.retryable: bool = body.get("retryable", status >= 500)
        #: The request, as it stands in the server's log.
        self.request_id: str = body.get("request_id", "")
        #: What is wrong with the request's fields: a pointer and a sentence each.
        self.errors: list[dict[str, str]] = body.get("errors", [])
        #: Seconds before another try can help.
        self.retry_after = retry_after
        super().__init__(f"{self.code} ({status}): {self.detail}")
