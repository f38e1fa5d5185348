"""A client of Stillcast's HTTP API.

    from stillcast import Client

    with Client("http://127.0.0.1:8090") as client:
        accepted = client.enqueue({"source": {"text": "A long day by the sea."}, "format": "audio"})
        job = client.wait(accepted["id"])
        client.download(job["id"], "evening.m4a")
"""

from .client import Client
from .errors import JobFailed, Problem, StillcastError, TimedOut, Unreachable
from .types import (
    Accepted,
    Artifact,
    BulkPlan,
    BulkRecord,
    Cost,
    ErrorReport,
    JobList,
    JobRecord,
    JobRequest,
    Search,
    StageRecord,
)

__all__ = [
    "Accepted",
    "Artifact",
    "BulkPlan",
    "BulkRecord",
    "Client",
    "Cost",
    "ErrorReport",
    "JobFailed",
    "JobList",
    "JobRecord",
    "JobRequest",
    "Problem",
    "Search",
    "StageRecord",
    "StillcastError",
    "TimedOut",
    "Unreachable",
]
