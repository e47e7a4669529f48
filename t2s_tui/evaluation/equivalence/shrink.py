"""The smallest rows found that still tell two queries apart: rows are taken away, then values made plain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from t2s_tui.evaluation.equivalence.model import Row, Rows, Table, Value

#: The rows as the engine kept them if the queries still differ on them, else None.
Test = Callable[[Rows], Rows | None]
_PLAIN: dict[str, Value] = {"int": 1, "real": 1, "text": "a", "bool": 1}


class Shrinker:
    """Shrinks within a budget of tries. After delta debugging (Zeller and Hildebrandt 2002), tables first."""

    def __init__(self, tables: Mapping[str, Table], test: Test, tries: int = 160) -> None:
        self._tables, self._test, self._left = tables, test, tries

    def shrink(self, rows: Rows) -> Rows:
        """`rows` differ; what is returned differs too."""
        for table in list(rows):
            if rows[table]:
                rows = self._try({**rows, table: []}) or rows
        changed = True
        while changed and self._left > 0:
            changed = False
            for table in list(rows):
                size = max(1, len(rows[table]) // 2)
                while size >= 1 and self._left > 0:
                    smaller = self._without(rows, table, size)
                    if smaller is not rows:
                        rows, changed = smaller, True
                    size //= 2
        return self._plain(rows)

    def _without(self, rows: Rows, table: str, size: int) -> Rows:
        """Without each stretch of so many rows that can go."""
        at = 0
        while at < len(rows[table]) and self._left > 0:
            fewer = rows[table][:at] + rows[table][at + size :]
            found = self._try({**rows, table: fewer})
            if found is not None:
                rows = found
            else:
                at += size
        return rows

    def _plain(self, rows: Rows) -> Rows:
        """Values that need not be what they are become plain ones, NULL gives way first."""
        for table, found in list(rows.items()):
            for at in range(len(found)):
                for place, column in enumerate(self._tables[table].columns):
                    if self._left <= 0:
                        return rows
                    value = rows[table][at][place] if at < len(rows[table]) else None
                    plain = _PLAIN.get(column.kind)
                    if plain is None or value == plain or column.choices:
                        continue
                    if any(place in key for key in self._tables[table].keys):
                        continue
                    changed: list[Row] = list(rows[table])
                    if at >= len(changed):
                        continue
                    row = list(changed[at])
                    row[place] = plain
                    changed[at] = tuple(row)
                    rows = self._try({**rows, table: changed}) or rows
        return rows

    def _try(self, rows: Rows) -> Rows | None:
        if self._left <= 0:
            return None
        self._left -= 1
        return self._test(rows)
