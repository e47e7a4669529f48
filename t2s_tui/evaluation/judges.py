"""A judge for every metric that needs no money: opened, asked pair by pair, closed.

A new metric is one line in `_OPENERS` and one in `metrics.METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from t2s_tui.evaluation.comparison import Mode
from t2s_tui.evaluation.equivalence import Equivalence
from t2s_tui.evaluation.exact import judge_exact
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.normalized import judge_normalized

Judge = Callable[[Pair], Judged]
Judges = Callable[[Pair], dict[str, Judged]]


@contextmanager
def _execution(mode: Mode) -> Iterator[Judge]:
    with Execution(mode=mode) as execution:
        yield execution.judge


@contextmanager
def _equivalence(mode: Mode) -> Iterator[Judge]:
    with Equivalence(workers=1) as equivalence:
        yield equivalence.judge


_OPENERS: Mapping[str, Callable[[Mode], AbstractContextManager[Judge]]] = {
    "exact": lambda mode: nullcontext(judge_exact),
    "normalized": lambda mode: nullcontext(judge_normalized),
    "execution": _execution,
    "equivalence": _equivalence,
}
#: Metrics that take tens of milliseconds a pair: worth a process for a handful of pairs.
SLOW = frozenset(("equivalence",))


def is_local(metric: str) -> bool:
    """Whether the metric is judged here, by the processor and for nothing."""
    return metric in _OPENERS


@contextmanager
def open_judges(metrics: Sequence[str], mode: Mode) -> Iterator[Judges]:
    """One function that asks the judges of all these metrics; what they hold is let go at the end."""
    with ExitStack() as stack:
        opened = {name: stack.enter_context(_OPENERS[name](mode)) for name in metrics}
        yield lambda pair: {name: judge(pair) for name, judge in opened.items()}
