"""Interactive generation: a model stays loaded and answers single questions. Only a worker imports this.

A question is a file `inbox/<id>.json` {"ddl", "question", "dialect"}, put there by `session_client.ask`; its
answer is an event {"kind": "answer", "request_id", "raw", "sql", "prompt_tokens", "new_tokens", "seconds",
"stopped"}, or {"kind": "answer", "request_id", "error"}.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from t2s_tui.errors import JobStopped, T2SError
from t2s_tui.jobs.devices import devices_for
from t2s_tui.jobs.folder import JobFolder, read_json
from t2s_tui.jobs.locks import someone_waits
from t2s_tui.progress import Progress
from t2s_tui.workspace import Workspace

_POLL = 0.1
_FIELDS = ("raw", "sql", "prompt_tokens", "new_tokens", "seconds", "stopped")


class SessionRequest(BaseModel):
    """Which model answers. `adapter` is the name of a training run. It ends after `idle_seconds` unasked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    adapter: str | None = None
    prompt: str = "book"
    idle_seconds: float = Field(default=600, gt=0)


class Answers(Protocol):
    """What a session needs of generation's Answerer."""

    def answer(self, ddl: str, question: str, dialect: str) -> Any: ...


def run_session(workspace: Workspace, request: SessionRequest, progress: Progress) -> dict[str, Any]:
    """Load the model and answer until nobody asked for a while, or another job waits for the device.

    Raises JobStopped on a stop.
    """
    devices = devices_for("session", request.model_dump())
    progress.step(0, 0, f"loading {request.model}")
    from t2s_tui.generation.session import Answerer

    answerer = Answerer(workspace, request.model, request.adapter, request.prompt)
    inbox = JobFolder(workspace.jobs_dir / os.environ["T2S_TUI_JOB_ID"]).inbox
    return serve(answerer, inbox, request.idle_seconds, progress, lambda: someone_waits(devices))


def serve(
    answerer: Answers,
    inbox: Path,
    idle_seconds: float,
    progress: Progress,
    wanted_elsewhere: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Answer what comes into the inbox, in the order it came; returns how many were answered.

    It ends after `idle_seconds` without a question, or, once it answered one, as soon as the device is
    wanted elsewhere: an idle session must not keep a training waiting.
    """
    inbox.mkdir(exist_ok=True)
    answered, last = 0, time.monotonic()
    progress.step(answered, 0, "ready")
    while True:
        if progress.stop_requested():
            raise JobStopped
        waiting = sorted(inbox.glob("[!.]*.json"))
        for path in waiting[:1]:
            progress.step(answered, 0, "answering", waiting=len(waiting))
            progress.event("answer", request_id=path.stem, **_answer(answerer, read_json(path)))
            path.unlink(missing_ok=True)  # whoever asked may have taken it back meanwhile
            answered, last = answered + 1, time.monotonic()
            progress.step(answered, 0, "ready")
        if not waiting:
            if time.monotonic() - last >= idle_seconds:
                return {"answered": answered}
            if answered and wanted_elsewhere():
                progress.event("note", text="Another job waits for the device: the session made room.")
                return {"answered": answered}
            time.sleep(_POLL)


def _answer(answerer: Answers, question: dict[str, Any] | None) -> dict[str, Any]:
    if question is None:
        return {"error": "The question could not be read: ask it again."}
    try:
        answer = answerer.answer(
            str(question.get("ddl", "")),
            str(question.get("question", "")),
            str(question.get("dialect", "sqlite")),
        )
    except T2SError as error:  # one bad question is not the end of the session
        return {"error": str(error)}
    return {name: getattr(answer, name) for name in _FIELDS if hasattr(answer, name)}
