"""Following a job from the command line: rich progress on stderr, the result at the end."""

from __future__ import annotations

import time
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from t2s_tui.commands.output import emit, err, say
from t2s_tui.jobs.board import JobView, get_job
from t2s_tui.jobs.events import EventTail
from t2s_tui.jobs.folder import events_path
from t2s_tui.records import Job, RunState
from t2s_tui.text import duration
from t2s_tui.workspace import Workspace

_POLL_SECONDS = 0.5
_WORDS_EVERY = 30.0  # without a terminal: one line of progress each so many seconds


def follow(workspace: Workspace, job_id: str) -> JobView:
    """Show the job's progress until it ends. Ctrl+C leaves; the job goes on."""
    try:
        return _with_bar(workspace, job_id) if err.is_terminal else _in_words(workspace, job_id)
    except KeyboardInterrupt:
        say(f"\nThe job goes on. Follow it with `t2s-tui jobs follow {job_id}`.")
        raise SystemExit(130) from None


def finish(workspace: Workspace, job: Job, *, wait: bool, as_json: bool, **names: Any) -> int:
    """What every command does with a job it submitted: wait and tell, or say how to follow it."""
    if not wait:
        if as_json:
            emit({"job": job.id, "kind": job.kind, "state": "queued", **names})
        else:
            say(f"{job.title}: job {job.id} started. Follow it with `t2s-tui jobs follow {job.id}`.")
        return 0
    view = follow(workspace, job.id)
    return tell_end(view, as_json=as_json, **names)


def tell_end(view: JobView, *, as_json: bool, **names: Any) -> int:
    """The end of a job in one line; exit code 0 only when it is done."""
    status = view.status
    if as_json:
        emit(
            {
                "job": view.job.id,
                "kind": view.job.kind,
                "state": str(status.state),
                "error": status.error,
                "result": status.result,
                **names,
            }
        )
    elif status.state is RunState.DONE:
        took = duration((status.ended_at or 0) - (status.started_at or 0))
        say(f"{view.job.title}: done in {took}.")
    else:
        say(f"{view.job.title}: {status.state}. {status.error or ''}".rstrip())
        if status.state.resumable:
            say(f"What is done is kept: go on with `t2s-tui jobs resume {view.job.id}`.")
    return 0 if status.state is RunState.DONE else 1


def _with_bar(workspace: Workspace, job_id: str) -> JobView:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=err, refresh_per_second=2, transient=True) as progress:
        view = get_job(workspace, job_id)
        task = progress.add_task(view.job.title, total=None, figures="")
        tail = EventTail(events_path(view.job))
        while True:
            view = get_job(workspace, job_id)
            _notes(tail)
            _update(progress, task, view)
            if view.status.state.ended:
                return view
            time.sleep(_POLL_SECONDS)


def _in_words(workspace: Workspace, job_id: str) -> JobView:
    tail, told, last = None, "", 0.0
    while True:
        view = get_job(workspace, job_id)
        tail = tail or EventTail(events_path(view.job))
        _notes(tail)
        line = _words(view)
        fresh = view.status.label not in told
        if line != told and (fresh or time.monotonic() - last > _WORDS_EVERY or view.status.state.ended):
            say(line)
            told, last = line, time.monotonic()
        if view.status.state.ended:
            return view
        time.sleep(_POLL_SECONDS)


def _notes(tail: EventTail) -> None:
    for event in tail.read():
        if event.get("kind") in ("note", "warning"):
            say(f"  {event.get('text', '')}")


def _words(view: JobView) -> str:
    status = view.status
    done, total = _place(view)
    place = f" {done}/{total}" if total else ""
    return f"{view.job.title}: {status.label or status.state}{place}  {_figures(view)}".rstrip()


def _place(view: JobView) -> tuple[int, int]:
    """How far the job is; a pipeline is where the step that runs is."""
    figures = view.status.figures
    if figures.get("child_total"):
        return int(figures.get("child_done") or 0), int(figures["child_total"])
    return view.status.done, view.status.total


def _figures(view: JobView) -> str:
    known = view.status.figures
    figures = {**known, **{name.removeprefix("child_"): value for name, value in known.items()}}
    words = []
    if isinstance(figures.get("loss"), int | float):
        words.append(f"loss {figures['loss']:.3f}")
    if isinstance(figures.get("tokens_per_second"), int | float):
        words.append(f"{figures['tokens_per_second']:.0f} tok/s")
    if isinstance(figures.get("eta_seconds"), int | float):
        words.append(f"{duration(figures['eta_seconds'])} left")
    return "  ".join(words)


def _update(progress: Progress, task: TaskID, view: JobView) -> None:
    status = view.status
    done, total = _place(view)
    progress.update(
        task,
        description=f"{view.job.title}: {status.label or status.state}",
        total=total or None,
        completed=done,
        figures=_figures(view),
    )
