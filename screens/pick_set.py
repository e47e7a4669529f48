"""Choose one of the prediction sets."""

from __future__ import annotations

import time
from collections.abc import Sequence

from screens.inspect_state import SetRow, set_cells, set_columns
from screens.pick import PickScreen, every_word


def pick_set(title: str, sets: Sequence[SetRow], *, narrow: bool, empty: str) -> PickScreen[SetRow]:
    """The sets as rows over the screen; what is typed looks in name, dataset, split, model and adapter."""
    now = time.time()

    def matches(row: SetRow, query: str) -> bool:
        made = row.made
        return every_word(f"{made.name} {made.dataset} {made.split} {made.model} {made.adapter}", query)

    return PickScreen(
        title, set_columns(narrow), sets, lambda row: set_cells(row, now, narrow), matches, empty=empty
    )
