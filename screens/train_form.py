"""The launch form of a training: what is learnt from what and how, and what will happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import AwaitMount
from textual.widgets import Static

from screens.base import WorkbenchScreen
from screens.generate_state import error_words
from screens.pick import pick_for
from screens.train_form_state import (
    Choices,
    form_errors,
    form_groups,
    plan_key,
    plan_words,
    read_choices,
    recipe_values,
    request_of,
    suggested_run,
    usable_draft,
)
from screens.train_plan import Counter
from t2s_tui.jobs import launcher
from t2s_tui.text import duration
from widgets.form import Form, FormField

COUNT_SECONDS = 0.8  # after the last change: counting starts a process


class TrainFormScreen(WorkbenchScreen):
    """Calls `started` with the name of the run when its job is submitted."""

    ROOM = "Train"
    CSS_PATH = "train_form.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "start", priority=True),
        Binding("escape", "leave", "leave the form", priority=True),
    ]

    def __init__(self, draft: dict[str, str], started: Callable[[str], None]) -> None:
        super().__init__()
        self._draft = draft  # filled with what stands in the form, so that leaving it loses nothing
        self._tell_started = started
        self._choices: Choices | None = None
        self._form = Form({}, {})
        self._counting: float | None = None  # since when
        self._counted: tuple[object, ...] | None = None  # what the plan that stands there is of
        self._later: Timer | None = None
        self._suggested = ""
        self._starting = False

    def compose_body(self) -> ComposeResult:
        yield Vertical(id="form-place")
        yield Static("Reading what there is to train with.", id="field-word", markup=False)
        yield Static("", id="foot", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.show_where("new run")
        self._counter = Counter(self.workspace)
        self.set_interval(1.0, self._tick)
        jobs = list(self.bench.jobs)
        self.fetch("choices", lambda: read_choices(self.workspace, jobs), self._fill)

    def on_unmount(self) -> None:
        self._counter.cancel()

    # -- the fields ---------------------------------------------------------------------------

    def _fill(self, choices: Choices) -> None:
        self._choices = choices
        preset = next(iter(choices.presets))
        dataset = choices.datasets[0].name if choices.datasets else ""
        values = {"preset": preset, "dataset": dataset, "model": choices.models[0]}
        values["split"] = next(iter(choices.splits(dataset)), "")
        self._suggested = values["run"] = suggested_run(values, choices)
        values |= recipe_values(choices.presets[preset])
        values |= usable_draft(self._draft, choices)
        self._form = Form(form_groups(choices, values["dataset"]), values)
        mounted = self.query_one("#form-place").mount(self._form)
        self.run_worker(self._focus_when(mounted), exit_on_error=False)
        for problem in choices.problems:
            self.notify(problem, severity="warning", markup=False)
        self._check()
        self._count_later()

    async def _focus_when(self, mounted: AwaitMount) -> None:
        """Focus the first field once the fields are there: a refresh may come before they are."""
        await mounted
        if self._form.focused_field is None:
            self._form.focus_field("preset")

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        message.stop()
        choices = self._choices
        if choices is None:
            return
        if message.name == "preset":
            self._form.set_values(recipe_values(choices.presets[message.value]))
        elif message.name == "dataset":
            self._form["split"].set_choices(choices.splits(message.value))
        if message.name in ("preset", "dataset") and self._form["run"].value in ("", self._suggested):
            self._suggested = suggested_run(self._form.values, choices)
            self._form["run"].set_value(self._suggested)
        self._draft.update(self._form.values)
        self._check()
        self._count_later()

    def on_form_entered(self, message: Form.Entered) -> None:
        self._show_word(message.field)

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def _check(self) -> dict[str, str]:
        if self._choices is None:
            return {}
        errors = form_errors(self._form.values, self.workspace, self._choices)
        self._form.set_errors(errors)
        if self._form.focused_field is not None:
            self._show_word(self._form.focused_field)
        return errors

    def _show_word(self, field: FormField) -> None:
        """The whole help or error of the field in the focus: beside it there may not be room."""
        line = self.query_one("#field-word", Static)
        line.set_class(bool(field.error), "-error")
        line.update(f"{field.spec.label}: {field.error or field.spec.help}")

    # -- what will happen ---------------------------------------------------------------------

    def _count_later(self) -> None:
        """Count when nothing was typed for a moment, and only if what is counted is another."""
        if self._later is not None:
            self._later.stop()
        if self._form.errors:
            self._stop_counting()
            self._foot("What will happen stands here when every field is right.")
        elif plan_key(request_of(self._form.values)) != self._counted:
            self._stop_counting()
            self._foot("counting tokens…")
            self._later = self.set_timer(COUNT_SECONDS, self._count)

    def _stop_counting(self) -> None:
        self._counter.cancel()
        self._counting = self._counted = None

    def _count(self) -> None:
        request = request_of(self._form.values)
        self._counting, self._counted = time.monotonic(), plan_key(request)

        def tried() -> dict[str, Any] | Exception:
            try:
                return self._counter.count(request.model_dump(mode="json"))
            except Exception as error:  # shown at the foot, where the plan would be
                return error

        self.fetch("plan", tried, self._show_plan)

    def _show_plan(self, plan: dict[str, Any] | Exception) -> None:
        if self._counting is None:
            return  # a field changed meanwhile
        self._counting = None
        if isinstance(plan, Exception):
            self._counted = None
            self._foot(error_words(plan), error=True)
        else:
            self._foot(plan_words(plan))

    def _tick(self) -> None:
        if self._counting is not None:
            self._foot(f"counting tokens…  {duration(time.monotonic() - self._counting)}")

    def _foot(self, words: str, *, error: bool = False) -> None:
        foot = self.query_one("#foot", Static)
        foot.set_class(error, "-error")
        foot.update(words)

    # -- start and leave ----------------------------------------------------------------------

    def action_start(self) -> None:
        """Submit the training. What is wrong is said beside its field, and the focus goes there."""
        errors = self._check()
        if errors:
            name = next(name for name in self._form.values if name in errors)
            self._form.focus_field(name)
            return
        if self._choices is None or self._starting:
            return
        self._starting = True
        request = request_of(self._form.values)

        def start() -> str | Exception:
            try:
                launcher.submit(
                    self.workspace, "train", f"train {request.run}", request.model_dump(mode="json")
                )
            except Exception as error:  # said at the foot: the form stays as it is
                return error
            return request.run

        self._stop_counting()
        self._foot("starting the job")
        self.fetch("start", start, self._started)

    def _started(self, run: str | Exception) -> None:
        self._starting = False
        if isinstance(run, str):
            self.dismiss(None)
            self._tell_started(run)
        else:
            self._foot(error_words(run), error=True)

    def action_leave(self) -> None:
        self.dismiss(None)
