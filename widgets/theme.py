"""The colours, and the signs that carry every meaning the colours repeat."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from textual.theme import Theme

from t2s_tui.records import METRIC_ORDER, Outcome, RunState

T2S_DARK = Theme(
    name="t2s-dark",
    dark=True,
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#e0af68",
    foreground="#c8d0e8",
    background="#14161d",
    surface="#1b1e28",
    panel="#222633",
    boost="#272c3b",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
)
T2S_LIGHT = Theme(
    name="t2s-light",
    dark=False,
    primary="#2e5bb8",
    secondary="#006c86",
    accent="#8f5e15",
    foreground="#2b2f3a",
    background="#fafafa",
    surface="#f0f1f4",
    panel="#e4e7ee",
    boost="#d9dde8",
    success="#3f7d20",
    warning="#8f5e15",
    error="#b3243f",
)

#: What the sixteen named colours are: Rich text in our widgets uses the names, each theme its shades.
ANSI_DARK = TerminalTheme(
    (20, 22, 29),
    (200, 208, 232),
    [
        *((34, 38, 51), (247, 118, 142), (158, 206, 106), (224, 175, 104)),
        *((122, 162, 247), (187, 154, 247), (125, 207, 255), (200, 208, 232)),
    ],
)
ANSI_LIGHT = TerminalTheme(
    (250, 250, 250),
    (43, 47, 58),
    [
        *((43, 47, 58), (179, 36, 63), (63, 125, 32), (143, 94, 21)),
        *((46, 91, 184), (120, 64, 160), (0, 108, 134), (90, 95, 110)),
    ],
)

#: Colours that read on both backgrounds, for Rich text drawn by our widgets.
PASS = Style(color="green")
FAIL = Style(color="red")
WARN = Style(color="yellow")
DIM = Style(dim=True)
BOLD = Style(bold=True)

_SIGNS: Mapping[Outcome | None, tuple[str, str, Style]] = {
    Outcome.PASS: ("✓", "+", PASS),
    Outcome.FAIL: ("✗", "x", FAIL),
    Outcome.UNKNOWN: ("?", "?", WARN),
    Outcome.ERROR: ("!", "!", WARN),
    Outcome.MISSING: ("~", "~", WARN),
    None: ("·", ".", DIM),
}
_STATE_SIGNS: Mapping[RunState, tuple[str, str, Style]] = {
    RunState.QUEUED: ("◌", "q", DIM),
    RunState.RUNNING: ("⠿", "*", Style(color="cyan")),
    RunState.STOPPING: ("⠿", "*", WARN),
    RunState.DONE: ("✓", "+", PASS),
    RunState.STOPPED: ("■", "#", WARN),
    RunState.FAILED: ("✗", "x", FAIL),
    RunState.LOST: ("✗", "x", FAIL),
}

#: What the list of verdicts shows, a column a metric (`normalized` is shown in the detail).
SIGN_METRICS: tuple[tuple[str, str], ...] = (
    ("exact", "X"),
    ("execution", "E"),
    ("equivalence", "Q"),
    ("judge", "J"),
    ("human", "H"),
)
assert {metric for metric, _ in SIGN_METRICS} <= set(METRIC_ORDER)


def verdict_sign(outcome: Outcome | None, ascii_only: bool = False) -> Text:
    """One cell: pass, fail, unknown, error, missing, or not run."""
    sign, plain, style = _SIGNS[outcome]
    return Text(plain if ascii_only else sign, style=style)


def state_sign(state: RunState, ascii_only: bool = False) -> Text:
    """One cell: where a job is."""
    sign, plain, style = _STATE_SIGNS[state]
    return Text(plain if ascii_only else sign, style=style)
