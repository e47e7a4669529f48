"""What a train job is asked: complete enough to train again. No torch here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from t2s_tui.training.recipes import Recipe


class TrainRequest(BaseModel):
    """Train the adapter `run` for `model` on one split of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str = Field(min_length=1)
    dataset: str
    split: str = "train"
    model: str
    recipe: Recipe
