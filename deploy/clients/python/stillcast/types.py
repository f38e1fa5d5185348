"""What the API takes and gives, as in its description; a test of Stillcast compares the two."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

State = Literal["delayed", "ready", "parked", "leased", "done", "dead", "cancelled", "expired"]
Format = Literal["audio", "video"]
Stage = Literal["collection", "transcript", "tts", "image", "encode", "upload"]
Container = Literal["m4a", "mp3", "opus", "wav", "flac", "mp4", "mp4-social"]
Aspect = Literal["16:9", "9:16", "1:1"]
Bed = Literal["none", "rain", "brown-noise", "drone", "sea", "singing-bowls"]
Action = Literal["cancel", "replay", "purge"]

ENDED: frozenset[State] = frozenset({"done", "dead", "cancelled", "expired"})


class TextSource(TypedDict):
    text: str


class ConversationSource(TypedDict):
    conversation_id: str


class OptionsRequest(TypedDict, total=False):
    voice: str | None
    language: str | None
    variant: int | None
    duration: int | None
    bed: Bed | None
    bed_level: int | None
    bells: bool | None
    tail: int | None
    stems: bool | None
    lexicon: dict[str, str] | None
    container: Container | None
    aspect: Aspect | None
    motion: bool | None
    live: bool | None


ReplayRequest = TypedDict(
    "ReplayRequest", {"from": Stage | None, "options": OptionsRequest | None}, total=False
)


class JobRequest(TypedDict):
    """A request for one finished file; times are RFC 3339."""

    source: TextSource | ConversationSource
    format: Format
    options: NotRequired[OptionsRequest | None]
    idempotency_key: NotRequired[str | None]
    priority: NotRequired[int | None]
    run_at: NotRequired[str | None]
    deadline: NotRequired[str | None]
    max_attempts: NotRequired[int | None]
    tenant: NotRequired[str | None]
    metadata: NotRequired[dict[str, str] | None]
    traceparent: NotRequired[str | None]
    webhook: NotRequired[str | None]


class Artifact(TypedDict):
    url: str
    key: str
    path: str | None
    bytes: int
    content_type: str
    duration_s: float
    sha256: str


class ExtraFile(TypedDict):
    """A file beside the delivered one."""

    url: str
    key: str
    path: str | None
    bytes: int
    content_type: str
    sha256: str


class Cost(TypedDict):
    spent_usd: float
    avoided_usd: float
    wasted_usd: float


class ErrorReport(TypedDict):
    stage: Stage | None
    provider: str | None
    code: str
    message: str


class StageRecord(TypedDict):
    stage: Stage
    wait_s: float
    run_s: float
    tries: int
    cached: bool
    began_s: NotRequired[float | None]
    ended_s: NotRequired[float | None]
    provider: NotRequired[str | None]
    resources: dict[str, float]


class Waiting(TypedDict):
    """Why a job does not run: a stable word, a sentence, and what to do."""

    code: str
    sentence: str
    cure: str
    ahead: NotRequired[int | None]
    jobs: NotRequired[list[str]]
    provider: NotRequired[str | None]
    since: NotRequired[str | None]
    slots: NotRequired[int | None]
    stage: NotRequired[Stage | None]
    until: NotRequired[str | None]


class Eta(TypedDict):
    """When a job is likely to be done, in seconds from now: nine times in ten."""

    from_s: float
    to_s: float


class JobRecord(TypedDict):
    """Everything known of a job; what is not known yet is None."""

    id: str
    revision: int
    state: State
    reason: str | None
    format: Format | None
    stage: Stage | None
    percent: int | None
    eta_s: float | None
    attempt: int
    max_attempts: int
    interruptions: int
    crashes: int
    tenant: str
    priority: int
    metadata: dict[str, str]
    enqueued_at: str | None
    wakes_at: str | None
    started_at: str | None
    finished_at: str | None
    deadline: str | None
    artifact: Artifact | None
    extras: dict[str, ExtraFile]
    live: NotRequired[str | None]
    stages: list[StageRecord]
    cost: Cost
    error: ErrorReport | None
    webhook: dict[str, object] | None
    waiting: NotRequired[Waiting | None]
    eta: NotRequired[Eta | None]


class Accepted(TypedDict):
    id: str
    state: State
    duplicate: bool
    replicated: NotRequired[bool | None]
    job: NotRequired[JobRecord | None]


class Search(TypedDict):
    matches: int
    searched: int
    left_out: int
    as_of: str


class JobList(TypedDict):
    jobs: list[JobRecord]
    next: str | None
    search: NotRequired[Search | None]


class Price(TypedDict):
    at_most_usd: float | None
    kept_usd: float


class BulkPlan(TypedDict):
    action: Action
    filter: str
    jobs: int
    price: Price | None
    left_out: int
    as_of: str
    plan: str
    expires_at: str


class BulkRecord(TypedDict):
    id: str
    action: Action
    filter: str
    tenant: str | None
    by: str
    state: Literal["gathering", "running", "done", "stopped"]
    total: int | None
    granted: int
    refused: dict[str, int]
    planned_at: str | None
    begun_at: str | None
    ended_at: str | None
