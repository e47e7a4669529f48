"""What the screen tests share: job folders as workers leave them, examples, and the text on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from t2s_tui.app import T2SApp
from t2s_tui.jobs.board import JobView, read_view
from t2s_tui.jobs.events import EventLog
from t2s_tui.jobs.folder import JobFolder, Status, write_json
from t2s_tui.jobs.identity import identity_of
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace


def job_folder(
    workspace: Workspace,
    job_id: str,
    state: RunState,
    *,
    kind: str = "train",
    title: str = "tuned",
    parent: str | None = None,
    events: Iterable[tuple[str, dict[str, Any]]] = (),
    output: str = "",
    request: Mapping[str, Any] | None = None,
    **status: Any,
) -> JobView:
    """A job's folder with real files. A job that has not ended is worked on by this very process."""
    folder = JobFolder(workspace.jobs_dir / job_id)
    folder.path.mkdir(exist_ok=True)
    created = float(status.pop("created_at", time.time()))
    asked = {"id": job_id, "kind": kind, "title": title, "created_at": created}
    write_json(folder.job, asked | {"request": dict(request or {}), "parent": parent, "key": None})
    who = None if state.ended else identity_of()
    made = Status(state=state, identity=who, heartbeat=time.time(), **status)
    write_json(folder.status, made.to_json())
    log = EventLog(folder.events)
    for name, values in events:
        log.append(name, values)
    log.close()
    folder.output.write_text(output, encoding="utf-8")
    return read_view(JobFolder(Path(folder.path)))


async def settled(pilot: Pilot[None]) -> None:
    """What was read in the background has been drawn."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def pressed(pilot: Pilot[None], *keys: str) -> None:
    """The keys one after the other, each with all that follows from it."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def on_screen(pilot: Pilot[None], words: str, seconds: float = 20.0) -> None:
    """Wait until the words are to be seen; fails with the whole screen when they never are."""
    give_up = time.monotonic() + seconds
    while words not in screen_text(pilot.app):
        assert time.monotonic() < give_up, f"{words!r} is not on the screen:\n{screen_text(pilot.app)}"
        await pilot.pause(0.05)


async def until(pilot: Pilot[None], holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a state, for what leaves no words that stay; fails with the screen when it never comes."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"it never came:\n{screen_text(pilot.app)}"
        await pilot.pause(0.05)


def screen_text(app: Any) -> str:
    """What a person sees, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(piece.text for piece in strip).rstrip() for strip in strips)


def bench(workspace: Workspace, **options: Any) -> T2SApp:
    """The app over a workspace. Toasts stay: a loaded machine may look for them late."""
    app = T2SApp(workspace, **options)
    app.NOTIFICATION_TIMEOUT = 60
    return app
