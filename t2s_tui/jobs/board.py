"""The jobs of a workspace as plain data: lists, single jobs, and a Board that is cheap to poll.

A look at 200 ended jobs costs one directory scan and a `stat` each; only what changed is read, and only
jobs that have not ended are checked for life.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from t2s_tui.errors import JobError, NotFound
from t2s_tui.jobs.folder import JobFolder, Status, read_json, read_status
from t2s_tui.jobs.spawn import reap
from t2s_tui.records import Job
from t2s_tui.workspace import Workspace

__all__ = ["Board", "JobView", "Status", "get_job", "list_jobs", "read_view"]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job and where it is. `parent` is the pipeline it is a step of, `key` the step's name there."""

    job: Job
    status: Status
    parent: str | None = None
    key: str | None = None


@dataclass(slots=True)
class _Cached:
    folder: JobFolder
    status: Path  # kept: building paths is most of what a look costs
    mark: tuple[int, int, int]
    view: JobView


class Board:
    """All jobs of one workspace. `poll()` looks again; `views` is what it saw last, newest first."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.jobs_dir
        self._known: dict[str, _Cached] = {}
        self.views: list[JobView] = []
        #: Ids that the last poll no longer found.
        self.gone: list[str] = []
        #: Folders in jobs/ whose job.json cannot be read.
        self.damaged: list[str] = []

    def poll(self) -> list[JobView]:
        """The views that are new or different since the last poll, newest first."""
        reap()
        names = self._folders()
        self.gone = [name for name in self._known if name not in names]
        for name in self.gone:
            del self._known[name]
        self.damaged = []
        changed = [view for name in names if (view := self._look(name)) is not None]
        if changed or self.gone:
            self.views = sorted((cached.view for cached in self._known.values()), key=_age, reverse=True)
        return sorted(changed, key=_age, reverse=True)

    def _folders(self) -> set[str]:
        try:
            with os.scandir(self._root) as entries:
                return {entry.name for entry in entries if not entry.name.startswith(".")}
        except FileNotFoundError:
            return set()

    def _look(self, name: str) -> JobView | None:
        """The view of one job if it changed."""
        known = self._known.get(name)
        folder = JobFolder(self._root / name) if known is None else known.folder
        status = folder.status if known is None else known.status
        try:
            stat = status.stat()
            mark = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        except OSError:
            mark = (0, 0, 0)
        if known is not None and known.mark == mark and known.view.status.state.ended:
            return None
        try:
            view = read_view(folder) if known is None else _again(folder, known.view)
        except JobError:
            self.damaged.append(name)
            return None
        self._known[name] = _Cached(folder, status, mark, view)
        return None if known is not None and known.view == view else view


def list_jobs(workspace: Workspace) -> list[JobView]:
    """All jobs, newest first."""
    board = Board(workspace)
    board.poll()
    return board.views


def get_job(workspace: Workspace, name: str) -> JobView:
    """The job of that id, of that number, or whose id alone begins so. Raises NotFound (UsageError)."""
    exact = JobFolder(workspace.jobs_dir / name)
    if name and "/" not in name and not name.startswith(".") and exact.job.exists():
        return read_view(exact)
    views = list_jobs(workspace)
    found = [view for view in views if name and view.job.id.startswith(name)]
    if name.isdigit():
        found = [
            view for view in views if view.job.id.partition("-")[0].lstrip("0") == name.lstrip("0")
        ] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(
            f"{name!r} could be {', '.join(view.job.id for view in found[:5])}", "write more of the id"
        )
    raise NotFound(f"There is no job {name!r}", "see `t2s-tui jobs list`")


def read_view(folder: JobFolder) -> JobView:
    """One job from its folder. Raises JobError when job.json cannot be read."""
    values = read_json(folder.job)
    status = read_status(folder)
    try:
        if values is None:
            raise ValueError("no object")
        job = Job(
            id=str(values["id"]),
            kind=str(values["kind"]),
            title=str(values["title"]),
            state=status.state,
            request=dict(values["request"]),
            folder=str(folder.path),
            created_at=float(values["created_at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JobError(f"{folder.job} cannot be read ({error})", "remove that folder") from error
    return JobView(job, status, values.get("parent"), values.get("key"))


def _again(folder: JobFolder, view: JobView) -> JobView:
    """The same job with its status read anew: job.json never changes."""
    status = read_status(folder)
    return replace(view, job=replace(view.job, state=status.state), status=status)


def _age(view: JobView) -> tuple[float, str]:
    return view.job.created_at, view.job.id
