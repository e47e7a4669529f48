"""What a run has to ask, and what the journal and its batches say of each request.

Bodies are in the journal and not in memory: of each request only its key and its size are held.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from t2s_tui.evaluation.judge.asks import Ask, Reply
from t2s_tui.evaluation.judge.batch.ledger import Batch, Ledger
from t2s_tui.evaluation.judge.batch.lines import Item, item_of
from t2s_tui.evaluation.judge.bodies import body_of, repair_of
from t2s_tui.evaluation.judge.intake import text_of
from t2s_tui.evaluation.judge.journal import Entry, Journal, request_key
from t2s_tui.evaluation.judge.settings import JudgeSettings

_CHUNK = 256  # asks that are looked up in the journal at a time


class Requests:
    """The requests of one run.

    `pending`: those without a reply; `waiting`: what must go into a batch; `under_way`: batches that hold
    something that was asked for, and are not waited for yet; `touched`: our ids of the unclosed batches that
    a reply came from, or will come from.
    """

    def __init__(
        self,
        settings: JudgeSettings,
        journal: Journal,
        ledger: Ledger,
        on_reply: Callable[[Reply], None],
        readable: Callable[[str], bool],
        since: float,
        stop_if_asked: Callable[[], None],
    ) -> None:
        self._settings, self._journal, self._ledger = settings, journal, ledger
        self._on_reply, self._readable = on_reply, readable
        self._stop_if_asked = stop_if_asked
        self._since = 0.0 if settings.reuse else since
        self._endpoint = settings.base_url or "openai"
        self._askers: dict[str, list[str]] = {}  # the ids of the examples that ask for it
        self._items: dict[str, Item] = {}
        self._repairs: dict[str, str] = {}  # the key of a repair -> that of the request that it repairs
        self.pending: set[str] = set()
        self.waiting: deque[Item] = deque()
        self.under_way: dict[str, Batch] = {}
        self.touched: set[str] = set()
        self.counts: Counter[str] = Counter()

    def ask(self, asks: Iterable[Ask]) -> None:
        """Take the asks in: equal ones are one request."""
        rest = iter(asks)
        while some := list(islice(rest, _CHUNK)):
            self._take(some)
        self.pending.update(self._askers)
        for key in self._askers:
            self.settle(key, asked_anew=True)
        self.counts["in_doubt"] = self._doubt()

    def _take(self, asks: list[Ask]) -> None:
        """Write down the requests that the journal does not have. Raises JobStopped."""
        self._stop_if_asked()
        new: dict[str, Mapping[str, Any]] = {}
        for ask in asks:
            body = body_of(self._settings, ask.messages)
            key = request_key(self._endpoint, body, ask.repeat)
            if key not in self._items:
                self._items[key], new[key] = item_of(key, body, ask.repeat), body
            self._askers.setdefault(key, []).append(ask.example_id)
        self.counts["total"] += len(asks)
        there = self._journal.find_many(list(new))
        self._open((key, body) for key, body in new.items() if key not in there)

    def _doubt(self) -> int:
        """Count what a process left as sent by itself, in no batch; returns how many these are."""
        doubts, waiting = 0, iter([item.key for item in self.waiting])
        while some := list(islice(waiting, _CHUNK)):
            there = self._journal.find_many(some)
            doubts += self._open((key, there[key].body) for key in some if key in there)
        return doubts

    def _open(self, requests: Iterator[tuple[str, Mapping[str, Any]]]) -> int:
        return self._journal.open_requests((key, self._endpoint, body) for key, body in requests)

    # -- one request --------------------------------------------------------------------------

    def settle(self, key: str, *, asked_anew: bool = False) -> None:
        """Do what the journal asks for: report an end, wait for a batch, or queue the request.

        `asked_anew`: what failed before is asked again, for it cost nothing.
        """
        if key not in self._items or self._repairs.get(key, key) not in self.pending:
            return
        self._stop_if_asked()
        entry, batches = self._journal.find(key), self._ledger.batches_of(key)
        self.touched.update(batches)
        state = entry.state if entry is not None else ""
        if entry is not None and batches and (state == "done" or (state == "failed" and not asked_anew)):
            self._ended(key, entry)
        elif entry is not None and (known := self._known_before(key, entry)) is not None:
            self._report(*known, cached=True)
        elif (batch := self._ledger.under_way(key)) is not None:
            self.under_way[batch.id] = batch
        else:
            self.waiting.append(self._items[key])

    def settle_all(self) -> None:
        """The same for all that has no reply: another process may have changed the journal."""
        self.waiting.clear()
        for key in [key for key in self._askers if key in self.pending]:
            self.settle(key)

    def changed(self, items: Iterable[Item]) -> bool:
        """Whether another process has handed in some of these, which were to be handed in here."""
        return any(self._ledger.under_way(item.key) is not None for item in items)

    def give_up(self, item: Item, words: str) -> None:
        """It can never be asked."""
        self._journal.failed(item.key, words)
        self._report(item.key, self._entry(item.key))

    def body(self, item: Item) -> Mapping[str, Any]:
        """The request as the settings make it."""
        return self._entry(item.key).body

    def _entry(self, key: str) -> Entry:
        entry = self._journal.find(key)
        assert entry is not None, "it was written down when it was asked for"
        return entry

    def _ended(self, key: str, entry: Entry) -> None:
        """An end in a batch of this run: an answer that cannot be read is asked for once more."""
        if entry.state != "done" or self._reads(entry) or key in self._repairs:
            self._report(key, entry)
            return
        repair, body = self._repair_of(key, entry)
        if self._journal.find(repair) is None:
            self._open(iter([(repair, body)]))
        self.settle(repair)

    def _known_before(self, key: str, entry: Entry) -> tuple[str, Entry] | None:
        """The answer that was got before and may be used: to the request, or to its repair."""
        if entry.state != "done" or (entry.done_at or 0.0) < self._since:
            return None
        if self._reads(entry) or key in self._repairs:
            return (key, entry) if self._reads(entry) else None
        repair, _ = self._repair_of(key, entry)
        repaired = self._journal.find(repair)
        return (repair, repaired) if repaired is not None and self._reads(repaired) else None

    def _repair_of(self, key: str, entry: Entry) -> tuple[str, Mapping[str, Any]]:
        """The request that asks once more for an answer that cannot be read, in the same conversation."""
        body, repeat = repair_of(entry.body, _text(entry) or ""), self._items[key].repeat
        repair = request_key(self._endpoint, body, repeat)
        self._repairs[repair] = key
        self._items.setdefault(repair, item_of(repair, body, repeat))
        return repair, body

    def _reads(self, entry: Entry) -> bool:
        text = _text(entry)
        return text is not None and self._readable(text)

    # -- replies ------------------------------------------------------------------------------

    def _report(self, key: str, entry: Entry, *, cached: bool = False) -> None:
        """Report the end of a request to each who asked: of a repair that did not help, the first answer."""
        first = None
        if key in self._repairs:
            key = self._repairs[key]
            first = self._journal.find(key)
        last = entry if first is None or self._reads(entry) else first
        costs = [e.cost for e in (entry, first) if e is not None and e.cost is not None]
        done = last.state == "done"
        usage = {"prompt_tokens": last.prompt_tokens, "completion_tokens": last.completion_tokens}
        self.pending.discard(key)
        for place, example_id in enumerate(self._askers[key]):
            free = cached or (done and place > 0)
            reply = Reply(
                example_id,
                _text(last),
                "" if done else last.error,
                entry.attempts + (first.attempts if first else 0),
                usage if done else {},
                0.0 if free else sum(costs) if costs else None,
                cached=free,
                doubts=last.doubts,
                key=last.key,
            )
            self._count(reply)
            self._on_reply(reply)

    def _count(self, reply: Reply) -> None:
        self.counts["done"] += 1
        self.counts["cached"] += reply.cached
        self.counts["failed"] += reply.text is None
        self.counts["missing"] += reply.text is None or not self._readable(reply.text)


def _text(entry: Entry) -> str | None:
    return text_of(entry.answer) if entry.state == "done" and entry.answer is not None else None
