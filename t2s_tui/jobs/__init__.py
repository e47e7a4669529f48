"""Work in other processes: folders, the event log, submitting, watching, stopping, resuming.

What is imported here reads and submits; it never loads torch. The worker side is `worker`, `handlers`,
`pipeline` and `session`, which only a worker process imports.
"""

from t2s_tui.jobs.board import Board, JobView, get_job, list_jobs
from t2s_tui.jobs.events import EventLog, EventTail
from t2s_tui.jobs.folder import Status, tail_lines
from t2s_tui.jobs.launcher import checkpoint, resume, stop, submit, wait
from t2s_tui.jobs.session_client import ask

__all__ = [
    "Board",
    "EventLog",
    "EventTail",
    "JobView",
    "Status",
    "ask",
    "checkpoint",
    "get_job",
    "list_jobs",
    "resume",
    "stop",
    "submit",
    "tail_lines",
    "wait",
]
