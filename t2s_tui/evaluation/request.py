"""What an evaluation job is asked to do."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from t2s_tui.evaluation.judge.settings import JudgeSettings


class EvaluateRequest(BaseModel):
    """Score one prediction set by some metrics. Complete enough to run again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    predictions: str = Field(min_length=1, description="the prediction set")
    metrics: list[str] = Field(min_length=1, description="names of metrics, in any order")
    judge: JudgeSettings | None = Field(None, description="needed when the metrics name the judge")
    mode: str = Field("strict", description="how execution compares results: see evaluation/comparison.py")
    redo: bool = Field(False, description="judge again what has a verdict")
    only: list[str] | None = Field(
        None, min_length=1, description="these examples again, by id; missing or failed stand for such"
    )
