"""The frame of every screen: where I am, what is running, which keys work here; and the panes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual.app import RenderResult
from textual.binding import Binding
from textual.containers import Container
from textual.reactive import reactive, var
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from t2s_tui.jobs.board import JobView
from t2s_tui.records import RunState
from t2s_tui.system.telemetry import Gpu
from t2s_tui.text import clip, duration
from widgets.theme import state_sign

if TYPE_CHECKING:
    from t2s_tui.app import T2SApp


class TopLine(Widget):
    """Line 1: the program, the room, what is open; on the right figures and the GPU in five words."""

    where: reactive[str] = reactive("")
    figures: reactive[str] = reactive("")
    gpu: reactive[str] = reactive("")

    def __init__(self, room: str) -> None:
        super().__init__()
        self._room = room

    def render(self) -> RenderResult:
        width = self.content_size.width
        left = Text.assemble(("t2s-tui", "bold"), "  ", (self._room, "bold underline"), "  ")
        right = "   ".join(part for part in (self.figures, self.gpu) if part)
        room = width - left.cell_len
        right = clip(right, max(0, room - min(len(self.where), 24) - 1))
        right_text = Text(right)
        where = clip(self.where, max(0, room - right_text.cell_len - 1))
        left.append(where)
        left.append(" " * max(1, width - left.cell_len - right_text.cell_len))
        left.append_text(right_text)
        left.no_wrap = True
        return left


class StatusLine(Widget):
    """One running job at a time, in words; empty when nothing runs."""

    line: reactive[str] = reactive("")
    sign: reactive[RunState] = reactive(RunState.RUNNING)

    def render(self) -> RenderResult:
        if not self.line:
            return Text("")
        ascii_only = cast("T2SApp", self.app).ascii_only
        text = Text.assemble(state_sign(self.sign, ascii_only), " ", no_wrap=True)
        text.append(clip(self.line, max(0, self.content_size.width - 2)))
        return text


def gpu_words(gpus: Sequence[Gpu]) -> str:
    """`H100 41/80G 97%`, two cards `2 GPU 41/160G`; empty where there is none."""
    if not gpus:
        return ""
    used, total = (
        sum(getattr(g, name) for g in gpus) / 1024 for name in ("memory_used_mb", "memory_total_mb")
    )
    if len(gpus) > 1:
        return f"{len(gpus)} GPU {used:.0f}/{total:.0f}G"
    name = gpus[0].name.removeprefix("NVIDIA").split()
    return f"{name[0] if name else 'GPU'} {used:.0f}/{total:.0f}G"


def job_line(view: JobView, others: int, now: float) -> str:
    """`train tuned-3  step 84/120  loss 0.41  82 tok/s  6m left  [J]obs 2`."""
    status = view.status
    title, kind = view.job.title, view.job.kind
    parts = [title if title.startswith(kind) else f"{kind} {title}"]
    if status.total:
        parts.append(f"{status.label} {status.done}/{status.total}")
    elif status.label:
        parts.append(status.label)
    parts.extend(figure_words(status.figures))
    if not status.total and status.started_at:
        parts.append(duration(now - status.started_at))
    parts.append(f"[J]obs {others + 1}" if others else "[J]obs")
    return "  ".join(parts)


def figure_words(figures: Mapping[str, object]) -> list[str]:
    """The figures of a running job that a person follows, each in two words at most."""
    words: list[str] = []
    for key, form in (
        ("loss", "loss {:.3f}"),
        ("tokens_per_second", "{:.0f} tok/s"),
        ("passed", "{:.0f} right"),
    ):
        value = figures.get(key)
        if isinstance(value, int | float):
            words.append(form.format(value))
    eta = figures.get("eta_seconds")
    if isinstance(eta, int | float):
        words.append(f"{duration(eta)} left")
    return words


class KeyLine(Widget):
    """The last line: the keys that work here now, from the table that binds them."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> RenderResult:
        return key_text(shown_keys(self), self.content_size.width)


def key_text(keys: Sequence[tuple[str, str]], room: int) -> Text:
    """As many keys as fit in `room` cells. `?` is always among them: it shows those that do not fit."""
    pieces = [Text.assemble((key, "bold"), f" {words}") for key, words in keys]
    must = [piece for piece in pieces if piece.plain.startswith("? ")]
    left = room - sum(piece.cell_len + 2 for piece in must)
    chosen: list[Text] = []
    for piece in pieces:
        if piece in must:
            chosen.append(piece)
        elif piece.cell_len + 2 <= left:
            chosen.append(piece)
            left -= piece.cell_len + 2
        else:
            left = 0
    line = Text("  ", no_wrap=True).join(chosen)
    line.no_wrap = True
    return line


def shown_keys(widget: Widget) -> list[tuple[str, str]]:
    """(key, what it does) of the bindings that are shown and enabled, nearest first, each action once."""
    seen: dict[str, tuple[str, str]] = {}
    for active in widget.screen.active_bindings.values():
        binding = active.binding
        if typed_away(widget.screen, binding):
            continue
        if binding.show and active.enabled and binding.action not in seen:
            key = binding.key_display or widget.app.get_key_display(binding)
            seen[binding.action] = (key, binding.description)
    # Keys of the whole program come last: what is special here matters more.
    return sorted(seen.values(), key=lambda pair: pair[0] in ("?", "q"))


def typed_away(screen: Screen[Any], binding: Binding) -> bool:
    """Whether the focused editor takes the binding's key as text, so that it does nothing else here."""
    character = binding.key if len(binding.key) == 1 else _NAMED.get(binding.key)
    focused = screen.focused
    return (
        focused is not None
        and character is not None
        and not binding.priority
        and focused.check_consume_key(binding.key, character)
    )


_NAMED = {
    "question_mark": "?",
    "slash": "/",
    "space": " ",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
}


class Pane(Container):
    """A titled part of a screen. Its title is reversed while the focus is in it; `z` zooms it."""

    pane_title: var[str] = var("", init=False)  # the pane itself does not look different

    def __init__(self, *children: Widget, title: str = "", id: str | None = None, classes: str = "") -> None:
        self._title = Static(title, classes="pane--title", markup=False)
        super().__init__(self._title, *children, id=id, classes=classes)

    def watch_pane_title(self, title: str) -> None:
        self._title.update(title, layout=False)  # one line, as wide as the pane: nothing moves
