"""By which route a judge is asked: at once, or by the Batch API."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.judge.asks import Ask, Reply, Room
from t2s_tui.evaluation.judge.batch.ledger import Ledger
from t2s_tui.evaluation.judge.batch.route import batch_all
from t2s_tui.evaluation.judge.bodies import body_of
from t2s_tui.evaluation.judge.client import ask_all
from t2s_tui.evaluation.judge.journal import Journal, request_key
from t2s_tui.evaluation.judge.settings import JudgeSettings


def ask_by_route(
    settings: JudgeSettings,
    asks: Iterable[Ask],
    on_reply: Callable[[Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
    room: Room | None = None,
    readable: Callable[[str], bool] = lambda text: True,
    total: int | None = None,
) -> None:
    """Ask everything by the route of the settings: `ask_all` or `batch_all`.

    Raises what these raise, and UsageError when requests that are in a batch would be asked live as well:
    they would be paid for twice.
    """
    room = room or Room()
    if settings.route == "batch":
        batch_all(settings, asks, on_reply, should_stop, paused, room, readable)
        return
    asks = _checked(settings, asks, room)
    ask_all(settings, asks, on_reply, should_stop, paused, room, readable, total)


def _checked(settings: JudgeSettings, asks: Iterable[Ask], room: Room) -> Iterable[Ask]:
    """The asks, none of which is in a batch. They are all made at once only where batches are under way."""
    endpoint = settings.base_url or "openai"
    journal = Journal(room.journal)
    try:
        ledger = Ledger(journal)
        if not any(batch.under_way for batch in ledger.unclosed(endpoint)):
            return asks
        asks = list(asks)
        keys = (request_key(endpoint, body_of(settings, ask.messages), ask.repeat) for ask in asks)
        found = [batch for key in keys if (batch := ledger.under_way(key)) is not None]
    finally:
        journal.close()
    if found:
        raise UsageError(
            f"{len(found)} of these requests are in batch {found[0].batch or found[0].id}, which is paid for",
            "wait for it with --judge-route batch, or see `t2s-tui judge batches`",
        )
    return asks
