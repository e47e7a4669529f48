"""What is asked of a split, and the split itself: by database, by ratio, or by a list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from t2s_tui.datasets import splits
from t2s_tui.errors import UsageError
from t2s_tui.progress import Progress
from t2s_tui.records import Dataset
from t2s_tui.workspace import Workspace


class SplitRequest(BaseModel):
    """A split of one dataset, complete enough to make it again.

    `holdout` are the db_ids of the split `eval`, `weights` the share of each split, `listed` a file (see
    split_list.py) and `rest` the split of what that does not name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    by: Literal["ratio", "holdout", "list"]
    weights: Mapping[str, float] = Field(default_factory=dict)
    holdout: tuple[str, ...] = ()
    listed: Path | None = None
    rest: str | None = None
    seed: int = splits.SEED
    allow_leak: bool = False


def split_dataset(workspace: Workspace, request: SplitRequest, progress: Progress | None = None) -> Dataset:
    """Deal the rows out as asked; the dataset as it is then. Raises what splits.py raises."""
    name = request.dataset
    if request.by == "holdout":
        return splits.split_by_database(workspace, name, request.holdout, progress=progress)
    if request.by == "ratio":
        return splits.split_by_ratio(
            workspace,
            name,
            request.weights,
            seed=request.seed,
            allow_leak=request.allow_leak,
            progress=progress,
        )
    if request.listed is None:
        raise UsageError("No list is named", "name a file with a line `ID SPLIT` a row")
    return splits.split_by_list(
        workspace, name, request.listed, rest=request.rest, allow_leak=request.allow_leak, progress=progress
    )


def read_weights(text: str) -> dict[str, float]:
    """`train=0.8,dev=0.2` as split -> share. Raises UsageError for what is not written so."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            weights[name.strip()] = float(share)
        except ValueError:
            raise UsageError(f"{part.strip()!r} is not SPLIT=SHARE", "write train=0.8,dev=0.2") from None
    return weights


def read_names(text: str) -> tuple[str, ...]:
    """`game, shop` as its names."""
    return tuple(part for part in (each.strip() for each in text.split(",")) if part)
