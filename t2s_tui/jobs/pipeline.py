"""Jobs one after the other, each a job of its own. Only a worker imports this.

If the pipeline's worker dies, its child goes on; resumed, the pipeline keeps finished children, adopts the
one that runs and resumes the dead.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from t2s_tui.errors import JobError, JobStopped
from t2s_tui.jobs.board import JobView, get_job, list_jobs
from t2s_tui.jobs.folder import JobFolder, read_json, write_json
from t2s_tui.jobs.launcher import resume, stop, submit
from t2s_tui.jobs.spawn import reap
from t2s_tui.progress import Progress, stop_if_asked
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace

_POLL = 0.25


class Step(BaseModel):
    """One child job. `key` names it in this pipeline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(min_length=1)
    kind: str
    title: str
    request: dict[str, Any]


class PipelineRequest(BaseModel):
    """The steps, in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: tuple[Step, ...] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _distinct(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if len({step.key for step in steps}) < len(steps):
            raise ValueError("two steps have the same key")
        return steps


#: What is passed on of a child's own figures: enough to follow it from here.
_CHILD_FIGURES = ("loss", "tokens_per_second", "eta_seconds")


def run_pipeline(workspace: Workspace, request: PipelineRequest, progress: Progress) -> dict[str, Any]:
    """Run the steps; returns {"children": {key: {"job", "result"}}}.

    A stop stops the child first. Raises JobError when a child failed, JobStopped when it was stopped.
    """
    me = str(getattr(progress, "job_id", ""))
    children: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(request.steps):
        stop_if_asked(progress)
        child = _child(workspace, me, step, progress)
        _note_child(workspace, me, step.key, child.job.id)
        ended = _follow(workspace, child, step, number, len(request.steps), progress)
        children[step.key] = {"job": ended.job.id, "result": dict(ended.status.result or {})}
        progress.step(number + 1, len(request.steps), step.title, step=step.key, child=ended.job.id)
    return {"children": children}


def _child(workspace: Workspace, me: str, step: Step, progress: Progress) -> JobView:
    """The step's job: the one there is (resumed if it died), else a new one."""
    # Every child names its parent in its own job.json, which is there as soon as the child is: a pipeline
    # killed between submitting and noting it still finds it.
    found = [view for view in list_jobs(workspace) if view.parent == me and view.key == step.key]
    if not found:
        job = submit(workspace, step.kind, step.title, step.request, parent=me, key=step.key)
        progress.event("note", text=f"{step.title}: started as {job.id}", step=step.key, child=job.id)
        return get_job(workspace, job.id)
    view = found[0]
    if view.status.state.resumable:
        resume(workspace, view.job.id)
        progress.event("note", text=f"{step.title}: resumed {view.job.id}", step=step.key, child=view.job.id)
    else:
        progress.event(
            "note",
            text=f"{step.title}: {view.job.id} is {view.status.state}",
            step=step.key,
            child=view.job.id,
        )
    return get_job(workspace, view.job.id)


def _note_child(workspace: Workspace, me: str, key: str, job_id: str) -> None:
    folder = workspace.jobs_dir / me
    write_json(JobFolder(folder).children, {**steps_of(folder), key: job_id})


def _follow(
    workspace: Workspace, child: JobView, step: Step, number: int, total: int, progress: Progress
) -> JobView:
    """Show the child's progress until it ends well; raises when it does not."""
    asked = False
    shown: object = None
    while True:
        reap()
        view = get_job(workspace, child.job.id)
        status = view.status
        if status.state.ended:
            break
        now = (status.state, status.done, status.total, status.label)
        if now != shown:
            shown = now
            progress.step(
                number,
                total,
                f"{step.title}: {status.label}" if status.label else step.title,
                step=step.key,
                child=view.job.id,
                child_state=str(status.state),
                child_done=status.done,
                child_total=status.total,
                **{f"child_{n}": status.figures[n] for n in _CHILD_FIGURES if n in status.figures},
            )
        if progress.stop_requested() and not asked:
            asked = True
            _stop_child(workspace, view)
        time.sleep(_POLL)
    if status.state is RunState.STOPPED:
        progress.event("note", text=f"{step.title}: stopped", step=step.key, child=view.job.id)
        raise JobStopped
    if status.state is not RunState.DONE:
        why = (status.error or str(status.state)).rstrip(".")
        how = "was lost" if status.state is RunState.LOST else "failed"
        raise JobError(f"{step.title} ({view.job.id}) {how} ({why})", "see to that, then resume this job")
    return view


def _stop_child(workspace: Workspace, view: JobView) -> None:
    try:
        stop(workspace, view.job.id)
    except JobError:
        if not get_job(workspace, view.job.id).status.state.ended:  # else it ended between two looks
            raise


def steps_of(folder: Path) -> dict[str, str]:
    """Step key -> job id, as far as the pipeline got."""
    return {key: str(job) for key, job in (read_json(JobFolder(folder).children) or {}).items()}
