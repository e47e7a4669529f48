"""What is kept of a run because it may be asked for again: the last ones used, up to a weight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """A mapping that forgets what was not used for longest once its weight is above `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._there: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """The value, now the last one used; None where it is not there."""
        found = self._there.get(key)
        if found is None:
            return None
        self._there.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        """Keep a value; one heavier than all room is not kept."""
        if weight > self._most or key in self._there:
            return
        self._there[key] = value, weight
        self._weight += weight
        while self._weight > self._most:
            self._weight -= self._there.popitem(last=False)[1][1]
