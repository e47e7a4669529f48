"""The six records that flow through the workbench.

source file -> Example -> prompt -> Prediction -> Verdict -> inspect / compare -> back to the data.
Nothing here imports a neighbour. Every string is NFC by the time it is in a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its schema and its gold SQL.

    `id` is stable: a hash of the content, so that the same row has the same id in every workspace.
    `number` is the row's place in its dataset, from 1. `database` is an absolute path to a SQLite file,
    or None where the data comes without one. `origin` is `file:line` of the source.

    `accepted` are other golds that are as right as `gold`. `hardness` is the source's own word (Spider's
    easy, medium, hard, extra), empty where it has none. `evidence` is knowledge that the question needs and
    the DDL lacks (BIRD). `extra` keeps what else a source says of a row, as text.
    """

    id: str
    number: int
    split: str
    db_id: str
    question: str
    ddl: str
    gold: str
    dialect: str
    database: str | None
    origin: str
    accepted: tuple[str, ...] = ()
    hardness: str = ""
    evidence: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named set of examples in the catalogue. `splits` maps split name to row count.

    `license` is the source's own text, empty where it has none. `history` says how the rows became what they
    are, oldest first, as plain JSON: `{"step": "split" | "clean", ...}`, with how they were split, or with
    the dataset that was cleaned and what was dropped from it and why. `databases` is the path of each
    database that a row has, and the fingerprint of its content when the dataset was added.
    """

    name: str
    source: str
    format: str
    dialect: str
    fingerprint: str
    splits: Mapping[str, int]
    dropped: int
    created_at: float
    license: str = ""
    history: tuple[Mapping[str, Any], ...] = ()
    databases: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(self.splits.values())


class RunState(StrEnum):
    """Where a training run or a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"  # the worker died without a word: resume it

    @property
    def ended(self) -> bool:
        return self in (RunState.DONE, RunState.STOPPED, RunState.FAILED, RunState.LOST)

    @property
    def resumable(self) -> bool:
        return self in (RunState.STOPPED, RunState.FAILED, RunState.LOST)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training of one adapter. `recipe` is complete enough to train it again.

    `adapter_path` is the folder of the finished adapter, None until there is one. `summary` holds
    the last figures (loss, steps, scored tokens, seconds).
    """

    name: str
    dataset: str
    split: str
    model: str
    recipe: Mapping[str, Any]
    job_id: str
    adapter_path: str | None
    summary: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True, slots=True)
class PredictionSet:
    """The answers of one model (with one adapter or none) to one split of one dataset."""

    name: str
    dataset: str
    split: str
    model: str
    adapter: str | None
    prompt: str
    decoding: Mapping[str, Any]
    total: int  # how many predictions it has when complete
    job_id: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """One generated answer: `raw` is the whole text, `sql` the first statement cut out of it.

    `stopped` is why decoding ended: eos, statement, length, endpoint.
    """

    set_name: str
    example_id: str
    raw: str
    sql: str
    prompt_tokens: int
    new_tokens: int
    stopped: str
    seconds: float


class Outcome(StrEnum):
    """One metric's word on one prediction."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    MISSING = "missing"  # asked, no readable answer: never counted as a fail


#: The order in which verdicts are always shown.
METRIC_ORDER = ("exact", "normalized", "execution", "equivalence", "judge", "human")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One metric's word on one prediction, with its evidence.

    `why` is one line for a person. `evidence` is plain JSON: for execution the results of both
    queries, for the judge its raw answer. `version` names the metric's rules, so that verdicts
    of another version are recomputed and not mixed.
    """

    set_name: str
    example_id: str
    metric: str
    outcome: Outcome
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    version: str = "1"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work in another process. `folder` holds all that is known of it."""

    id: str
    kind: str  # train, generate, evaluate, pipeline
    title: str
    state: RunState
    request: Mapping[str, Any]
    folder: str
    created_at: float
