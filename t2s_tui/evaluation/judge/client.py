"""Asking the judge: paced by its limits, retried by the class of error, journalled before it is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sized

from t2s_tui.evaluation.judge.asks import Ask, Reply, Room
from t2s_tui.evaluation.judge.bodies import body_of
from t2s_tui.evaluation.judge.dispatcher import Dispatcher
from t2s_tui.evaluation.judge.settings import JudgeSettings

__all__ = ["Ask", "Reply", "Room", "ask_all", "body_of"]


def ask_all(
    settings: JudgeSettings,
    asks: Iterable[Ask],
    on_reply: Callable[[Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
    room: Room | None = None,
    readable: Callable[[str], bool] = lambda text: True,
    total: int | None = None,
) -> None:
    """Ask everything; `on_reply` is called in this thread, once an Ask, as replies arrive.

    `asks` may be made as they are taken: only a few hundred are held at a time. `total` says how many there
    are where they have no length. An answer that is not `readable` is asked for once more, in the same
    conversation. While `paused` says so nothing new is asked. A stop waits a second for what is under way,
    then leaves it in doubt.

    Raises UsageError when OpenAI's own endpoint is asked without a key, or a budget is set for a model that
    has no price; ModelError when the key, the quota, the model or the budget ends the run, or nothing
    answers; WorkspaceError when the journal cannot be written; JobStopped after a stop.
    """
    count = len(asks) if total is None and isinstance(asks, Sized) else total
    if count == 0:
        return
    dispatcher = Dispatcher(settings, on_reply, (should_stop, paused), room or Room(), readable)
    asyncio.run(dispatcher.run(iter(asks), count))
