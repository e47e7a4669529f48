"""The filter of lists: words that a row must contain."""

from __future__ import annotations

from collections.abc import Callable

from t2s_tui.records import Example
from t2s_tui.text import nfc

Predicate = Callable[[Example], bool]

_EXACT: dict[str, Callable[[Example], str]] = {
    "db": lambda example: example.db_id,
    "split": lambda example: example.split,
}


def matches(example: Example, query: str) -> bool:
    """Whether the example has every space-separated word of `query`, whatever the case.

    A word is looked for in the id, db_id, question, DDL and gold SQL. `db:x` and `split:x` compare the whole
    value (`db:1` is not `db:10`). An empty query matches everything.
    """
    return compiled(query)(example)


def compiled(query: str) -> Predicate:
    """The same as a function, for long lists."""
    exact: list[tuple[Callable[[Example], str], str]] = []
    words: list[str] = []
    for word in _fold(query).split():
        prefix, colon, value = word.partition(":")
        if colon and value and prefix in _EXACT:
            exact.append((_EXACT[prefix], value))
        else:
            words.append(word)

    def matching(example: Example) -> bool:
        if any(_fold(of(example)) != value for of, value in exact):
            return False
        if not words:
            return True
        text = _fold("\n".join((example.id, example.db_id, example.question, example.ddl, example.gold)))
        return all(word in text for word in words)

    return matching


def _fold(text: str) -> str:
    """Case folded and NFC again, since folding can take letters apart."""
    return text.lower() if text.isascii() else nfc(nfc(text).casefold())
