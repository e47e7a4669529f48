"""A proof, on this machine, that jobs outlive the terminal they were started from. For `t2s-tui doctor`.

A process on a pseudo-terminal of its own submits a probe; the terminal is closed under it and the process
group killed while the probe counts. The proof holds when the probe ends as it would have.
"""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from t2s_tui.errors import JobError, T2SError
from t2s_tui.jobs.launcher import submit, wait
from t2s_tui.jobs.spawn import python_environment
from t2s_tui.records import RunState
from t2s_tui.system.doctor import Check
from t2s_tui.workspace import Workspace

_STEPS, _SECONDS = 20, 0.1
_ID = "submitted "
_WAIT_SECONDS = 60.0


def outlives_terminal(workspace: Workspace) -> Check:
    """The proof as a line of the doctor. It leaves one small job in the workspace."""
    try:
        view = wait(workspace, _submit_on_a_terminal_that_dies(workspace), timeout=_WAIT_SECONDS)
    except (T2SError, OSError) as error:
        return Check("Jobs", False, str(error), "start jobs with --wait in a terminal that stays open")
    counted = f"the probe {view.job.id} counted {view.status.done} of {_STEPS} steps without its terminal"
    if view.status.state is RunState.DONE:
        return Check("Jobs", True, counted)
    why = view.status.error or f"it is {view.status.state}"
    advice = "ask the administrator whether logging out ends processes"
    return Check("Jobs", False, f"{counted} ({why})", advice)


def _submit_on_a_terminal_that_dies(workspace: Workspace) -> str:
    """Submit a probe from a session on a pty, end both, return the job's id."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "t2s_tui.jobs.proof", str(workspace.root)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd="/",
            env=python_environment(),
        )
    finally:
        os.close(theirs)
    said = ""
    try:
        while "\n" not in said.partition(_ID)[2]:
            said += os.read(ours, 4096).decode("utf-8", errors="replace")
    except OSError:  # Linux answers EIO when the other side is gone
        raise JobError(f"The probe could not be submitted ({' '.join(said.split())[-200:]})") from None
    finally:
        os.close(ours)  # the hang-up
        with contextlib.suppress(ProcessLookupError):  # the hang-up was enough
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return said.partition(_ID)[2].split()[0]


def _main(root: str) -> None:
    """What runs on the pseudo-terminal: submit, say so, and wait to be killed."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # this terminal is ours now: its end is a SIGHUP
    job = submit(Workspace.open(Path(root)), "probe", "doctor", {"steps": _STEPS, "seconds": _SECONDS})
    print(f"{_ID}{job.id}", flush=True)
    signal.pause()


if __name__ == "__main__":
    _main(sys.argv[1])
