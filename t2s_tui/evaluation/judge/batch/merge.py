"""What came of each request of a batch that ended: from its files, else from how the batch ended.

Answers are written for good. What was surely not answered is queued again; what may have been is failed with
the reason, and so is missing: it is not paid for twice unasked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.answers import Answer
from t2s_tui.evaluation.judge.batch.api import CANCELLED, COMPLETED, EXPIRED, FAILED, Fault, Seen
from t2s_tui.evaluation.judge.batch.ledger import Batch
from t2s_tui.evaluation.judge.batch.lines import Result, custom_ids, read_results
from t2s_tui.evaluation.judge.transport import ANSWER, REQUEST, Trouble

_LIMIT = re.compile(r"[Ll]imit:? ([\d,]+)")
_SHARE = 0.9  # of a queue limit: tokens are estimated here
_QUEUE_FULL = "token_limit_exceeded"

#: (status, error as it came, words) -> the error that ends the run; None where it ends only its request.
EndsRun = Callable[[int, Mapping[str, Any], str], ModelError | None]
#: (key, status, words) -> whether the refusal is about the request's form, which another batch will change.
Learn = Callable[[str, int, str], bool]


@dataclass(frozen=True, slots=True)
class End:
    """The end of a request in a batch: its answer, or words; `again`: it may be asked in another batch."""

    key: str
    answer: Answer | None = None
    words: str = ""
    again: bool = False


class Merge:
    """The ends of one batch, and what was noticed on the way.

    `errors`: by class; `strangers`: results that nothing in the batch asked for; `fatal`: what ends the run.
    """

    def __init__(self, seen: Seen, keys: Sequence[str], secret: str, ends_run: EndsRun, learn: Learn) -> None:
        self._seen, self._keys, self._secret = seen, dict.fromkeys(keys), secret
        self._ends_run, self._learn = ends_run, learn
        self.errors: Counter[str] = Counter()
        self.strangers = 0
        self.fatal: ModelError | None = None

    def check(self, files: Iterable[IO[bytes]]) -> None:
        """Raises Trouble where the files say less than the batch does: they are to be fetched again."""
        told = sum(1 for key in set(custom_ids(files)) if key in self._keys)
        if told < self._seen.completed or (told < len(self._keys) and self._seen.status == COMPLETED):
            raise Trouble("the batch's files are not whole", ANSWER, again=True)

    def ends(self, files: Iterable[IO[bytes]]) -> Iterator[End]:
        """One end for each request."""
        left, refused = set(self._keys), dict[str, Result]()
        for result in read_results(files, self._secret):
            if result is None:
                self.errors[ANSWER] += 1
            elif result.key not in left:
                self.strangers += result.key not in self._keys
            elif result.answer is not None:
                left.discard(result.key)
                refused.pop(result.key, None)
                yield End(result.key, result.answer)
            else:
                refused[result.key] = result
        yield from map(self._refused, refused.values())
        yield from self._absent(left - refused.keys())

    def _refused(self, result: Result) -> End:
        if self._learn(result.key, result.status, result.words):
            return End(result.key, words=result.words, again=True)
        self.errors[result.kind] += 1
        over = self._ends_run(result.status, result.error, result.words)
        self.fatal = self.fatal or over
        return End(result.key, words=result.words, again=result.again or over is not None)

    def _absent(self, keys: set[str]) -> Iterator[End]:
        """Those of which the files say nothing."""
        faults = {fault.line: fault for fault in self._seen.faults}
        general = next((f for f in self._seen.faults if f.line is None), None)
        if general is not None:
            error = {"code": general.code, "message": general.words}
            self.fatal = self.fatal or self._ends_run(0, error, general.words)
        for line, key in enumerate(self._keys, start=1):
            if key in keys:
                self.errors[_KINDS.get(self._seen.status, ANSWER)] += 1
                yield self._without_result(key, faults.get(line), general)

    def _without_result(self, key: str, fault: Fault | None, general: Fault | None) -> End:
        if self._seen.status != FAILED:
            return End(key, words=_WORDS.get(self._seen.status, ""), again=self._seen.status == EXPIRED)
        if fault is not None:
            return End(key, words=f"the batch refused it: {fault.words}")
        if general is not None:
            return End(key, words=f"the batch failed: {general.words}", again=self.fatal is not None)
        return End(key, words="its batch failed for the sake of other requests", again=True)


_WORDS = {
    COMPLETED: "the batch's files say nothing of it",
    EXPIRED: "its batch expired before it was answered",
    CANCELLED: "its batch was cancelled before it was answered",
}
_KINDS = {EXPIRED: EXPIRED, CANCELLED: CANCELLED, FAILED: REQUEST}


def queue_limit(seen: Seen, batch: Batch) -> float | None:
    """The tokens that may be queued at once, where the batch failed for being more; None where it did not.

    Where the endpoint names no limit that the batch is over, half of it is tried: others use the queue too.
    """
    if seen.status != FAILED or all(fault.code != _QUEUE_FULL for fault in seen.faults):
        return None
    named = _LIMIT.search(" ".join(fault.words for fault in seen.faults))
    limit = float(named[1].replace(",", "")) if named else 0.0
    if 0 < limit < batch.tokens:
        return _SHARE * limit
    return batch.tokens / 2 if batch.total > 1 else float(batch.tokens)
