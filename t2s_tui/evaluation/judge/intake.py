"""From asks to requests: what the journal has is answered from there, what is left is queued in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from t2s_tui.evaluation.judge.asks import Ask, Item, Reply
from t2s_tui.evaluation.judge.bodies import body_of, repair_of
from t2s_tui.evaluation.judge.journal import Entry, Journal, request_key
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.tokens import request_tokens


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of some asks: replies that are there already, and requests to send. `doubts` of these were
    under way when a process died."""

    replies: list[Reply]
    items: list[Item]
    doubts: int


class Intake:
    """Takes asks a few hundred at a time. Requests that are the same are sent once, for all who ask."""

    def __init__(
        self, settings: JudgeSettings, journal: Journal, readable: Callable[[str], bool], since: float
    ) -> None:
        self._settings, self._journal = settings, journal
        self._readable = readable
        self._since = 0.0 if settings.reuse else since
        self._endpoint = settings.base_url or "openai"
        self._open: dict[str, Item] = {}

    def take(self, asks: Sequence[Ask]) -> Taken:
        """Look the asks up, and queue what is left. Raises WorkspaceError."""
        wanted = [(ask, body_of(self._settings, ask.messages)) for ask in asks]
        keyed = [(request_key(self._endpoint, body, ask.repeat), ask, body) for ask, body in wanted]
        there = self._journal.find_many([key for key, _, _ in keyed])
        replies, items = [], []
        for key, ask, body in keyed:
            if (under_way := self._open.get(key)) is not None:
                under_way.also.append(ask)
                continue
            found = self._known(ask, body, there.get(key))
            if isinstance(found, Reply) and self._readable(found.text or ""):
                replies.append(found)
                continue
            items.append(self._item(ask, key, body, there.get(key), found))
            self._open[key] = items[-1]
        fresh = [item for item in items if item.said is None]
        doubts = self._journal.open_requests((i.key, self._endpoint, i.body) for i in fresh)
        return Taken(replies, items, doubts)

    def closed(self, item: Item, reply: Reply) -> list[Reply]:
        """The replies to all who asked this request."""
        self._open.pop(item.key, None)
        cost = None if reply.text is None else 0.0
        return [reply, *(replace(reply, example_id=a.example_id, cost=cost, cached=True) for a in item.also)]

    def repair(self, item: Item, answer: str) -> Item:
        """The request for an answer that can be read, queued."""
        body = repair_of(item.body, answer)
        again = self._item(item.ask, request_key(self._endpoint, body, item.ask.repeat), body, None, None)
        self._journal.open_requests([(again.key, self._endpoint, body)])
        return again

    def _known(self, ask: Ask, body: Mapping[str, Any], entry: Entry | None) -> Reply | None:
        """What was answered before. An unreadable answer comes back only where its repair is still to do."""
        first = self._reply(ask, entry)
        if first is None or entry is None or self._readable(first.text or ""):
            return first
        key = request_key(self._endpoint, repair_of(body, first.text or ""), ask.repeat)
        again = self._journal.find(key)
        second = self._reply(ask, again)
        if second is None or again is None or (again.done_at or 0.0) < (entry.done_at or 0.0):
            return first
        # Both were paid for and none can be read: what is left is to ask from the start.
        return second if self._readable(second.text or "") else None

    def _reply(self, ask: Ask, entry: Entry | None) -> Reply | None:
        if entry is None or entry.answer is None or (entry.done_at or 0.0) < self._since:
            return None
        usage = {"prompt_tokens": entry.prompt_tokens, "completion_tokens": entry.completion_tokens}
        return Reply(
            ask.example_id, text_of(entry.answer), "", entry.attempts, usage, 0.0, cached=True, key=entry.key
        )

    def _item(
        self, ask: Ask, key: str, body: dict[str, Any], entry: Entry | None, said: Reply | None
    ) -> Item:
        doubts = 0 if entry is None else entry.doubts + (entry.state == "sent")
        if said is not None:
            said = replace(said, cached=False)
        return Item(ask, key, body, request_tokens(body), doubts, said)


def text_of(answer: Mapping[str, Any]) -> str:
    """The text of a stored completion."""
    choices = answer.get("choices") or [{}]
    return str((choices[0].get("message") or {}).get("content") or "")
