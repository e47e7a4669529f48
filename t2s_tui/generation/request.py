"""What a generate job is asked: complete enough to run again. No torch here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class GenerateRequest(BaseModel):
    """Answer one split of a dataset with one model, into the prediction set `name`.

    `adapter` is the name of a training run. `batch_size` None is chosen for the device; for an endpoint it
    is the number of requests at once. `limit` answers only the first rows of the split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    dataset: str
    split: str
    model: str
    adapter: str | None = None
    prompt: str = "book"
    max_new_tokens: int = Field(default=256, ge=1, le=8192)
    batch_size: int | None = Field(default=None, ge=1, le=1024)
    limit: int | None = Field(default=None, ge=1)
    api_key_env: str = "OPENAI_API_KEY"
