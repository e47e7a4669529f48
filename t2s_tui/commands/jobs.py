"""`t2s-tui jobs list | show | follow | stop | pause | resume`."""

from __future__ import annotations

import argparse
import time
from typing import Any

from t2s_tui.commands.follow import follow, tell_end
from t2s_tui.commands.options import common, opened, waiting
from t2s_tui.commands.output import emit, out, say, table
from t2s_tui.jobs.board import JobView, get_job, list_jobs
from t2s_tui.text import ago


def add_parser(commands: Any) -> None:
    """Add `jobs` and what it can do."""
    group = commands.add_parser("jobs", help="what runs and what ran")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    common(actions.add_parser("list", help="all jobs, newest first"), _list)
    for name, words, run in (
        ("show", "one job: what was asked, where it is", _show),
        ("follow", "stay with a job until it ends", _follow),
        ("stop", "ask a job to save what it has and end", _stop),
        ("pause", "let an evaluation or audit begin nothing new until it is resumed", _pause),
        ("resume", "go on with a job that is paused, stopped, failed or was lost", _resume),
    ):
        action = common(actions.add_parser(name, help=words), run)
        action.add_argument("job", help="its id, or the first letters of it")
        if name in ("stop", "resume"):
            waiting(action)


def as_json(view: JobView) -> dict[str, Any]:
    """A job and its status as plain JSON."""
    status = view.status
    return {
        "job": view.job.id,
        "kind": view.job.kind,
        "title": view.job.title,
        "state": str(status.state),
        "label": status.label,
        "paused": status.paused,
        "done": status.done,
        "total": status.total,
        "figures": status.figures,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
        "error": status.error,
        "result": status.result,
        "folder": view.job.folder,
    }


def _list(args: argparse.Namespace) -> int:
    views = list_jobs(opened(args))
    if args.json:
        for view in views:
            emit(as_json(view))
        return 0
    if not views:
        say("No jobs yet.")
        return 0
    now = time.time()
    rows = []
    for view in views:
        status = view.status
        place = f"{status.done}/{status.total}" if status.total else ""
        when = ago(status.started_at or view.job.created_at, now)
        rows.append((view.job.id, view.job.title, status.state, place, when, status.error or ""))
    table(("job", "what", "state", "step", "started", ""), rows, right=(3,))
    return 0


def _show(args: argparse.Namespace) -> int:
    view = get_job(opened(args), args.job)
    if args.json:
        emit({**as_json(view), "request": dict(view.job.request)})
        return 0
    for key, value in {**as_json(view), "request": dict(view.job.request)}.items():
        if value not in (None, {}, "", False):
            out.print(f"{key:<11} {value}")
    return 0


def _follow(args: argparse.Namespace) -> int:
    workspace = opened(args)
    return tell_end(follow(workspace, get_job(workspace, args.job).job.id), as_json=args.json)


def _stop(args: argparse.Namespace) -> int:
    from t2s_tui.jobs.launcher import stop

    workspace = opened(args)
    view = get_job(workspace, args.job)
    stop(workspace, view.job.id)
    if args.wait:
        tell_end(follow(workspace, view.job.id), as_json=args.json)
    elif args.json:
        emit({"job": view.job.id, "state": "stopping"})
    else:
        say(f"{view.job.title}: asked to stop. What is done is kept.")
    return 0


def _pause(args: argparse.Namespace) -> int:
    from t2s_tui.jobs.launcher import pause

    workspace = opened(args)
    view = get_job(workspace, args.job)
    pause(workspace, view.job.id)
    if args.json:
        emit({"job": view.job.id, "state": str(view.status.state), "paused": True})
    else:
        say(f"{view.job.title}: asked to pause. `t2s-tui jobs resume {view.job.id}` goes on.")
    return 0


def _resume(args: argparse.Namespace) -> int:
    from t2s_tui.jobs.launcher import resume

    workspace = opened(args)
    view = get_job(workspace, args.job)
    job = resume(workspace, view.job.id)
    if args.wait:
        return tell_end(follow(workspace, job.id), as_json=args.json)
    if args.json:
        emit({"job": job.id, "state": "queued"})
    else:
        say(f"{job.title}: goes on.")
    return 0
