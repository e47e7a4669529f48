"""What is asked of an audit."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AuditRequest(BaseModel):
    """An audit of one dataset, complete enough to run it again.

    `tokenizer` is a model whose tokenizer counts (None: nothing counts), with `prompt` around each row.
    A gold that returns more than `max_rows` rows is a finding.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    tokenizer: str | None = None
    prompt: str = "book"
    block_size: int | None = Field(default=None, ge=1)
    max_rows: int = Field(default=1000, ge=1, le=1_000_000)
    run_golds: bool = True
    processes: int = Field(default=2, ge=0, le=64)
