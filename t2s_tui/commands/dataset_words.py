"""Datasets in words and as JSON, for every command about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from t2s_tui.records import Dataset


def as_json(dataset: Dataset) -> dict[str, Any]:
    """A dataset as plain JSON."""
    return {**asdict(dataset), "splits": dict(dataset.splits), "size": dataset.size}


def splits_in_words(dataset: Dataset) -> str:
    """`train 300, eval 20`."""
    return ", ".join(f"{name} {count}" for name, count in dataset.splits.items())


def license_in_words(dataset: Dataset) -> str:
    """The first line of the licence, which names it."""
    return dataset.license.partition("\n")[0] or "not stated"


def history_in_words(dataset: Dataset) -> Iterator[str]:
    """What was done to the rows, one line a step."""
    for step in dataset.history:
        if step["step"] == "clean":
            why = ", ".join(f"{reason} {rows}" for reason, rows in step["dropped"].items())
            yield f"cleaned: {step['kept']} of {step['rows']} rows of {step['of']} ({why})"
        else:
            yield f"split by {step['by']}{_details(step)}"


def _details(step: Mapping[str, Any]) -> str:
    said = {key: value for key, value in step.items() if key not in ("step", "by")}
    known = {key: value for key, value in said.items() if value is not None and value is not False}
    words = "; ".join(f"{key.replace('_', ' ')} {_value(value)}" for key, value in known.items())
    return f" ({words})" if words else ""


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={part:g}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
