"""The board: cheap to ask, right about what changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from t2s_tui.errors import NotFound
from t2s_tui.jobs.board import Board, get_job, list_jobs
from t2s_tui.jobs.folder import JobFolder, write_json
from t2s_tui.jobs.launcher import submit, wait
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import until, workspace

__all__ = ["workspace"]


def _ended_job(workspace: Workspace, number: int) -> JobFolder:
    folder = JobFolder(workspace.jobs_dir / f"{number:04d}-probe-x")
    folder.path.mkdir()
    job = {"id": folder.path.name, "kind": "probe", "title": "x", "request": {}, "created_at": float(number)}
    write_json(folder.job, job)
    write_json(folder.status, {"state": "done", "done": 1, "total": 1})
    return folder


def test_only_what_changed_is_told(workspace: Workspace) -> None:
    folders = [_ended_job(workspace, number) for number in range(1, 201)]
    board = Board(workspace)
    assert len(board.poll()) == 200
    assert [view.job.created_at for view in board.views] == [float(n) for n in range(200, 0, -1)]
    assert board.poll() == []
    write_json(folders[7].status, {"state": "failed", "error": "Why."})
    changed = board.poll()
    assert [(view.job.id, view.status.error) for view in changed] == [(folders[7].path.name, "Why.")]
    assert board.views[192].status.state is RunState.FAILED
    shutil.rmtree(folders[3].path)
    assert board.poll() == []
    assert board.gone == [folders[3].path.name]
    assert len(board.views) == 199


def test_ended_jobs_are_not_read_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 21):
        _ended_job(workspace, number)
    board = Board(workspace)
    board.poll()
    read: list[Path] = []
    original = Path.read_text

    def counting(self: Path, *args: object, **kwargs: object) -> str:
        read.append(self)
        return original(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", counting)
    board.poll()
    assert read == []


def test_a_damaged_folder_hides_no_other(workspace: Workspace) -> None:
    _ended_job(workspace, 1)
    (workspace.jobs_dir / "0002-broken").mkdir()
    (workspace.jobs_dir / "0003-broken").mkdir()
    (workspace.jobs_dir / "0003-broken" / "job.json").write_text("{")
    (workspace.jobs_dir / ".new-abc").mkdir()
    board = Board(workspace)
    assert len(board.poll()) == 1
    assert sorted(board.damaged) == ["0002-broken", "0003-broken"]


def test_a_live_job_is_seen_changing(workspace: Workspace) -> None:
    board = Board(workspace)
    assert board.poll() == []
    job = submit(workspace, "probe", "x", {"steps": 15, "seconds": 0.1})
    states: list[RunState] = []
    counts: list[int] = []

    def look() -> bool:
        for view in board.poll():
            states.append(view.job.state)
            counts.append(view.status.done)
        return bool(states) and states[-1].ended

    until(look)
    assert states[0] is RunState.QUEUED
    assert RunState.RUNNING in states
    assert states[-1] is RunState.DONE
    assert counts == sorted(counts)
    assert len(set(counts)) > 2, "it was seen between its beginning and its end"
    assert wait(workspace, job.id).status.state is RunState.DONE


def test_jobs_are_found_by_number_and_prefix(workspace: Workspace) -> None:
    for number in (1, 2, 12):
        _ended_job(workspace, number)
    assert get_job(workspace, "0002-probe-x").job.created_at == 2.0
    assert get_job(workspace, "2").job.created_at == 2.0
    assert get_job(workspace, "0012").job.created_at == 12.0
    with pytest.raises(NotFound, match="could be"):
        get_job(workspace, "00")
    for name in ("", "..", "nope", "../jobs"):
        with pytest.raises(NotFound, match="There is no job"):
            get_job(workspace, name)


def test_many_submit_at_once(workspace: Workspace) -> None:
    code = (
        "import sys; from t2s_tui.jobs import submit; from t2s_tui.workspace import Workspace\n"
        "ws = Workspace.open(sys.argv[1])\n"
        "for _ in range(3): submit(ws, 'probe', 'x', {'steps': 1})"
    )
    racing = [subprocess.Popen([sys.executable, "-c", code, str(workspace.root)]) for _ in range(3)]
    assert [process.wait() for process in racing] == [0, 0, 0]
    views = list_jobs(workspace)
    assert sorted(int(view.job.id[:4]) for view in views) == list(range(1, 10))
    assert {wait(workspace, view.job.id).status.state for view in views} == {RunState.DONE}


def test_watching_jobs_loads_nothing_heavy() -> None:
    code = (
        "import sys, t2s_tui.jobs, t2s_tui.jobs.proof, t2s_tui.system.doctor\n"
        "heavy = {'torch', 'transformers', 'peft', 'datasets', 'openai', 'pandas', 'accelerate', 'textual'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_restart_of_the_machine_loses_a_job(workspace: Workspace) -> None:
    folder = _ended_job(workspace, 1)
    who = {"pid": 1, "start_time": 0, "boot_id": "before"}
    write_json(folder.status, {"state": "running", "heartbeat": time.time(), **who})
    view = get_job(workspace, "1")
    assert view.status.state is RunState.LOST
    assert view.status.error == "The machine was restarted while the job ran: resume the job."
