"""What a person does to a job: stop it, resume it. Shared by the rooms that show one."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.base import WorkbenchScreen
from screens.confirm import ConfirmScreen
from t2s_tui.jobs import launcher
from t2s_tui.jobs.board import JobView
from t2s_tui.records import RunState


class JobActions(WorkbenchScreen):
    """A room with a job under its cursor. Subclasses say which one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop"),
        Binding("P", "pause", "pause"),
        Binding("R", "resume", "resume"),
    ]

    def _selected(self) -> JobView | None:
        """The job that is meant."""
        raise NotImplementedError

    def action_stop(self) -> None:
        """Ask, then request a stop; of a job that is stopping already, ask whether to kill it."""
        view = self._selected()
        if view is None:
            return
        force = view.status.state is RunState.STOPPING
        if force:
            question, detail = (
                f"Kill {view.job.title} now?",
                "What was not saved yet is lost. It can be resumed.",
            )
        else:
            question = f"Stop {view.job.title}?"
            detail = "It saves what it has and exits. R resumes it from there."

        def act(yes: bool | None) -> None:
            if yes:
                self.fetch(
                    "act", lambda: launcher.stop(self.workspace, view.job.id, force=force), self._acted
                )

        self.app.push_screen(ConfirmScreen(question, detail), act)

    def action_pause(self) -> None:
        """Let the job begin nothing new until it is resumed."""
        view = self._selected()
        if view is not None:
            self.fetch("act", lambda: launcher.pause(self.workspace, view.job.id), self._acted)

    def action_resume(self) -> None:
        """Let a paused job go on; start a new worker on one that ended, from what is saved."""
        view = self._selected()
        if view is not None:
            self.fetch("act", lambda: launcher.resume(self.workspace, view.job.id), self._acted)

    def _acted(self, _: object) -> None:
        self.bench.read_board()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("stop", "pause", "resume"):
            view = self._selected() if self.is_mounted else None
            return view is not None and _can(action, view)
        return super().check_action(action, parameters)


def _can(action: str, view: JobView) -> bool:
    """Whether this makes sense where the job is now."""
    state, paused = view.status.state, view.status.paused
    if action == "stop":
        return not state.ended
    if action == "resume":
        return state.resumable or (paused and state is RunState.RUNNING)
    return state is RunState.RUNNING and not paused and view.job.kind in launcher.PAUSABLE
