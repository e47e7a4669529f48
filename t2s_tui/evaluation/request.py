"""What an evaluation job is asked to do."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from t2s_tui.evaluation.judge.panel import Panel, with_prompts
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.workspace import Workspace


class EvaluateRequest(BaseModel):
    """Score one prediction set by some metrics. Complete enough to run again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    predictions: str = Field(min_length=1, description="the prediction set")
    metrics: list[str] = Field(min_length=1, description="names of metrics, in any order")
    judge: JudgeSettings | None = Field(None, description="needed when the metrics name the judge")
    panel: Panel = Field(default_factory=Panel, description="more judges, repeats and the swap test")
    mode: str = Field("strict", description="how execution compares results: see evaluation/comparison.py")
    redo: bool = Field(False, description="judge again what has a verdict")
    only: list[str] | None = Field(
        None, min_length=1, description="these examples again, by id; missing or failed stand for such"
    )

    @property
    def asks_judge(self) -> bool:
        """Whether a judge is asked, and who is known."""
        return self.judge is not None and "judge" in self.metrics

    def complete(self, workspace: Workspace) -> EvaluateRequest:
        """With the texts of the user's own prompts as they are now: what a worker asks, also after a resume.

        Raises NotFound, DataError or UsageError for prompts and judges that cannot be asked.
        """
        if self.judge is None or not self.asks_judge:
            return self
        judge, panel = with_prompts(self.judge, self.panel, workspace)
        return self.model_copy(update={"judge": judge, "panel": panel})
