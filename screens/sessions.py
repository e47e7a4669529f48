"""Asking a loaded model one question: finds or starts its session job, and waits for the answer's event."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from t2s_tui.errors import JobError
from t2s_tui.jobs import launcher
from t2s_tui.jobs.board import JobView, get_job, list_jobs
from t2s_tui.jobs.events import EventTail
from t2s_tui.jobs.folder import JobFolder
from t2s_tui.jobs.session_client import ask
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asker:
    """Who answers: a session is used again by whoever asks the same model in the same way."""

    model: str
    adapter: str | None
    prompt: str

    @property
    def title(self) -> str:
        return f"session {self.adapter or self.model}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `dialect` is the one the SQL shall be in."""

    ddl: str
    question: str
    dialect: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `raw` is the whole text, `sql` the statement cut out of it."""

    raw: str
    sql: str
    new_tokens: int
    seconds: float
    stopped: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not yet: what the session does, in its words."""

    label: str


def living_sessions(jobs: Sequence[JobView]) -> list[JobView]:
    """The sessions that can be asked, newest first."""
    usable = (RunState.QUEUED, RunState.RUNNING)
    return [view for view in jobs if view.job.kind == "session" and view.status.state in usable]


def session_of(jobs: Sequence[JobView], asker: Asker) -> JobView | None:
    """The living session that answers for `asker`."""
    wanted = asdict(asker)
    return next((v for v in living_sessions(jobs) if wanted.items() <= dict(v.job.request).items()), None)


def free_device(workspace: Workspace) -> int:
    """Stop the sessions, and say how many. They also make room by themselves once another job waits."""
    stopped = 0
    for view in living_sessions(list_jobs(workspace)):
        with contextlib.suppress(JobError):  # it ended between the look and the stop: what was wanted
            launcher.stop(workspace, view.job.id)
            stopped += 1
    return stopped


class Pending:
    """A question on its way. `look` may run in a thread, one at a time."""

    def __init__(self, workspace: Workspace, job_id: str, folder: Path, request_id: str) -> None:
        self.job_id, self.request_id = job_id, request_id
        self._workspace, self._folder = workspace, JobFolder(folder)
        self._tail = EventTail(self._folder.events)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self._began

    def look(self) -> Answer | Waiting:
        """The answer if it is there. Raises JobError when it will not come."""
        # The state first: what a session says before it ends is then in the events read after it.
        view = get_job(self._workspace, self.job_id)
        while events := self._tail.read():
            for event in events:
                if event.get("kind") == "answer" and event.get("request_id") == self.request_id:
                    return _answer(event)
        if view.status.state.ended:
            cause = view.status.error or f"The session {self.job_id} is {view.status.state}"
            raise JobError(cause, "" if view.status.error else "ask again: f5 starts another")
        return Waiting(view.status.label or str(view.status.state))

    def withdraw(self) -> None:
        """Take the question back if the session has not begun with it. The session lives on."""
        (self._folder.inbox / f"{self.request_id}.json").unlink(missing_ok=True)


def send(workspace: Workspace, asker: Asker, question: Question) -> Pending:
    """Ask; starts a session if none answers for `asker`. Those of other models make room for it.

    Raises T2SError when it cannot be started. An unknown model is told by `look`.
    """
    found = session_of(list_jobs(workspace), asker)
    if found is not None:
        try:
            return _put(workspace, found.job.id, Path(found.job.folder), question)
        except JobError:
            pass  # it ended between the look and the question: another one is started below
    job = launcher.submit(workspace, "session", asker.title, asdict(asker))
    return _put(workspace, job.id, Path(job.folder), question)


def _put(workspace: Workspace, job_id: str, folder: Path, question: Question) -> Pending:
    return Pending(workspace, job_id, folder, ask(workspace, job_id, asdict(question)))


def _answer(event: dict[str, object]) -> Answer:
    if event.get("error"):
        raise JobError(str(event["error"]))
    seconds, tokens = event.get("seconds"), event.get("new_tokens")
    return Answer(
        raw=str(event.get("raw", "")),
        sql=str(event.get("sql", "")),
        new_tokens=int(tokens) if isinstance(tokens, int | float) else 0,
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        stopped=str(event.get("stopped", "")),
    )
