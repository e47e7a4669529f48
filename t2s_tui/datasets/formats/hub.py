"""A dataset of the Hugging Face Hub with the columns of a table: `owner/name` or `owner/name:configuration`.

The `datasets` library is imported when a source is opened, never before: only commands and workers do that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from t2s_tui.datasets.formats.shapes import in_shape, shape_of
from t2s_tui.datasets.formats.wikisql import inlined_rows, is_inlined
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, check_columns
from t2s_tui.errors import DataError, UsageError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.\-]*/[A-Za-z0-9][\w.\-]*(?::[\w.\-]+)?")


class HubFormat:
    """What `datasets.load_dataset` can load."""

    name = "hub"
    summary = (
        "a dataset of the Hugging Face Hub, `owner/name` or `owner/name:configuration`, with the same columns"
    )

    def recognises(self, source: str) -> bool:
        return _HUB_ID.fullmatch(source) is not None

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        """Downloads what is not in the cache of `datasets`."""
        repository, _, configuration = source.partition(":")
        loaded = _load(repository, configuration or None)
        name = repository.rstrip("/").rsplit("/", 1)[-1]
        first = next(iter(loaded.values()))
        license = str(getattr(getattr(first, "info", None), "license", "") or "")
        if is_inlined(first.column_names) and not options.column_map:
            splits = [
                (str(split), f"{source}/{split}", partial(enumerate, rows, 1))
                for split, rows in loaded.items()
            ]
            made = (
                options.room / f"wikisql-{source.replace('/', '-').replace(':', '-')}"
                if options.room
                else None
            )
            return OpenSource(name, source, inlined_rows(splits, made), license)
        for split, rows in loaded.items():
            if shape_of(rows.column_names, options.column_map) is None:
                check_columns(f"{source} ({split})", list(rows.column_names), options.column_map)
        return OpenSource(name, source, _rows(source, loaded, options.column_map), license)


def _load(repository: str, configuration: str | None) -> Mapping[str, Any]:
    import datasets

    try:
        loaded = datasets.load_dataset(repository, configuration)
    # The library raises its own, huggingface_hub's, httpx's and plain errors for one and the same cause.
    except Exception as error:
        lines = str(error).strip().split("\n")
        if lines[0].startswith("Config name is missing") and len(lines) > 1:
            names = lines[1].partition(": ")[2].strip("[]").replace("'", "")
            raise UsageError(
                f"The Hub dataset {repository!r} has several configurations: {names}",
                f"say which one, such as {repository}:{names.partition(',')[0]}",
            ) from error
        first_line = lines[0] or type(error).__name__
        raise DataError(
            f"The Hub dataset {repository!r} cannot be loaded ({first_line.rstrip('.')})",
            "check the id, the network and `hf auth login`, or download its files and add those",
        ) from error
    assert isinstance(loaded, Mapping)
    return loaded


def _rows(source: str, loaded: Mapping[str, Any], column_map: Mapping[str, str]) -> Iterator[RawItem]:
    for split, rows in loaded.items():
        shape = shape_of(rows.column_names, column_map)
        for number, values in enumerate(rows, start=1):
            found = in_shape(values, shape, column_map)
            yield RawRow(found, f"{source}/{split}", number, str(split), unit="row")
