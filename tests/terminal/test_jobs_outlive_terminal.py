"""Jobs outlive the terminal (SIGHUP) and whoever submitted them (SIGKILL). Real ptys, the real worker."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from t2s_tui.jobs.board import Board, get_job
from t2s_tui.jobs.identity import alive, identity_of
from t2s_tui.jobs.launcher import wait
from t2s_tui.jobs.proof import outlives_terminal
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import events_of, until, workspace

__all__ = ["workspace"]
pytestmark = pytest.mark.terminal

_STEPS = 40

# A process as the workbench is: it owns the terminal, submits a job, and lives on. It also starts a plain
# child, to show that the terminal's end really ends what is not detached.
_SUBMITTER = """
import fcntl, os, signal, subprocess, sys, termios, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup, which is inherited
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from t2s_tui.jobs.launcher import submit
from t2s_tui.workspace import Workspace
plain = subprocess.Popen(["sleep", "600"])
job = submit(Workspace.open(sys.argv[1]), "probe", "outlive", {"steps": 40, "seconds": 0.1})
print("submitted", job.id, plain.pid, flush=True)
time.sleep(600)
"""


def _start(workspace: Workspace) -> tuple[int, int, str, int]:
    """(pid of the submitter, the pty's master end, the job's id, pid of its plain child)."""
    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", _SUBMITTER, str(workspace.root)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": root},
    )
    os.close(slave)
    said = _read_until(master, b"\n")
    word, job_id, plain = said.split()
    assert word == "submitted", said
    return process.pid, master, job_id, int(plain)


def _read_until(master: int, end: bytes) -> str:
    said, give_up = b"", time.monotonic() + 60
    while end not in said:
        assert time.monotonic() < give_up, said
        if select.select([master], [], [], 1)[0]:
            said += os.read(master, 4096)
    return said.decode()


@pytest.mark.parametrize("how", ["hang-up", "kill"])
def test_a_job_ends_as_it_would_have(workspace: Workspace, how: str) -> None:
    submitter, master, job_id, plain = _start(workspace)
    who = identity_of(submitter)
    plain_child = identity_of(plain)
    until(lambda: get_job(workspace, job_id).status.done >= 2)
    if how == "hang-up":
        os.close(master)
    else:
        os.killpg(submitter, signal.SIGKILL)
    until(lambda: not alive(who))
    until(lambda: not alive(plain_child))
    # A new workbench opens: it sees the job at work.
    board = Board(workspace)
    [seen] = board.poll()
    assert seen.job.state is RunState.RUNNING
    assert 2 <= seen.status.done < _STEPS
    until(lambda: any(view.status.done > seen.status.done for view in board.poll()))
    view = wait(workspace, job_id)
    assert (view.status.state, view.status.attempt) == (RunState.DONE, 1)
    assert [e["done"] for e in events_of(view) if e["kind"] == "step"] == list(range(1, _STEPS + 1))
    assert [e["seq"] for e in events_of(view)] == list(range(1, view.status.seq + 1))
    if how == "kill":
        os.close(master)


def test_the_doctors_proof_holds_here(workspace: Workspace) -> None:
    check = outlives_terminal(workspace)
    assert check.ok, check
    [view] = Board(workspace).poll()
    assert view.job.id in check.found
    assert view.status.state is RunState.DONE
