"""Asking a running session: the screen's side of interactive generation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

from t2s_tui.errors import JobError
from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.events import plain
from t2s_tui.jobs.folder import JobFolder, read_status, write_json
from t2s_tui.jobs.reporter import disk_error
from t2s_tui.workspace import Workspace


def ask(workspace: Workspace, job_id: str, request: Mapping[str, Any]) -> str:
    """Put a question {"ddl", "question", "dialect"} to a session; returns the request id of its answer event.

    The answer is an event of kind `answer` with that `request_id`; a late one is told by its id. Raises
    JobError when the session has ended (start another) or the question cannot be written.
    """
    view = get_job(workspace, job_id)
    folder = JobFolder(Path(view.job.folder))
    if view.job.kind != "session":
        raise JobError(f"The job {view.job.id} is no session", "start one on the Generate screen")
    request_id = f"{time.time_ns():020d}-{token_hex(2)}"  # sorts in the order asked
    path = folder.inbox / f"{request_id}.json"
    try:
        folder.inbox.mkdir(exist_ok=True)
        write_json(path, plain(dict(request)))
    except OSError as error:
        raise disk_error(error, "the question could not be written") from error
    if read_status(folder).state.ended:
        path.unlink(missing_ok=True)
        raise JobError(f"The session {view.job.id} has ended", "start it again")
    return request_id
