"""A disk that fills up under a job, and secrets that must not be written."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from t2s_tui.errors import JobError, UsageError
from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.folder import JobFolder, read_json, write_json
from t2s_tui.jobs.launcher import resume, submit, wait
from t2s_tui.jobs.redaction import RedactedStream, Redactor
from t2s_tui.jobs.reporter import Reporter
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import folder_of, until_done, workspace

__all__ = ["workspace"]
SECRET = "sk-do-not-write-me"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    path = tmp_path / "small"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount program here")
    if done.returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_fails_in_words_and_is_resumable(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T2S_TUI_LOCKS", str(tmp_path / "locks"))
    workspace = Workspace.open(small_disk)
    job = submit(workspace, "probe", "x", {"steps": 400, "seconds": 0.02})
    until_done(workspace, job.id, 2)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        _fill(filler)
    view = wait(workspace, job.id)
    assert view.status.state is RunState.FAILED
    assert str(view.status.error).startswith("The disk is full (its events could not be written)")
    assert 0 < view.status.done < 400
    with pytest.raises(JobError, match="The disk is full"):
        submit(workspace, "probe", "another", {"steps": 1})
    assert [entry.name for entry in workspace.jobs_dir.glob("[!.]*")] == [job.id]
    filler.unlink()
    resume(workspace, job.id)
    assert wait(workspace, job.id).status.state is RunState.DONE


def test_the_worker_writes_no_secret(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submit(workspace, "probe", "x", {"steps": 1, SECRET: 1})
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    with pytest.raises(UsageError, match="holds a secret"):
        submit(workspace, "probe", "x", {"steps": 1, "device": f"a{SECRET}b"})
    titled = submit(workspace, "probe", f"with {SECRET}", {"steps": 1})
    assert titled.title == "with [SOME_TOKEN]"
    assert wait(workspace, titled.id).status.state is RunState.DONE
    wait(workspace, job.id)
    resume(workspace, job.id)  # this worker has the secret in its environment, and meets it in its request
    view = wait(workspace, job.id)
    assert "[SOME_TOKEN]" in str(view.status.error)
    second = get_job(workspace, job.id)
    for path in (folder_of(second).status, folder_of(second).output):
        assert SECRET not in path.read_text()
    last = folder_of(second).events.read_text().splitlines()[-1]
    assert SECRET not in last
    assert "[SOME_TOKEN]" in last


def test_a_reporter_and_a_stream_hide_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("LONGER_API_KEY", SECRET + "-and-more")
    monkeypatch.setenv("SHORT_TOKEN", "a")
    folder = JobFolder(tmp_path)
    write_json(folder.status, {"state": "queued"})
    reporter = Reporter(folder, "1", "probe", Redactor())
    reporter.event("note", text=f"key {SECRET}", deep=[{SECRET: SECRET + "-and-more"}])
    reporter.step(1, 2, f"label {SECRET}", figure=SECRET)
    reporter.finish(RunState.DONE, result={"said": SECRET})
    for path in (folder.events, folder.status):
        text = path.read_text()
        assert SECRET not in text
        assert "[OPENAI_API_KEY]" in text
    assert "[LONGER_API_KEY]" in folder.events.read_text()
    assert "label" in folder.status.read_text()
    inner = io.StringIO()
    stream = RedactedStream(inner, Redactor())
    stream.write(f"Bearer {SECRET[:6]}")
    stream.write(f"{SECRET[6:]} refused\nand")
    cast("io.StringIO", stream).flush()
    assert inner.getvalue() == "Bearer [OPENAI_API_KEY] refused\nand"


def test_a_status_goes_on_from_the_last_worker(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    write_json(folder.status, {"state": "queued", "done": 7, "total": 9, "started_at": 5.0, "error": "old"})
    reporter = Reporter(folder, "1", "probe", Redactor())
    reporter.running()
    status = read_json(folder.status)
    assert status is not None
    assert (status["done"], status["started_at"], status["error"]) == (7, 5.0, None)
