"""What tokens cost: the price table that ships, and the one that a person keeps in the workspace."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from t2s_tui.errors import UsageError

_SHIPPED = Path(__file__).with_name("prices.toml")
FILE = "prices.toml"
_BATCH = 0.5  # of the price, where a table says nothing


@dataclass(frozen=True, slots=True)
class Price:
    """USD a million tokens, the day the table is of, and the share of it that the Batch API takes."""

    prompt: float
    completion: float
    as_of: str
    batch: float = _BATCH

    def in_batch(self) -> Price:
        """The price of the same tokens in a batch."""
        return replace(self, prompt=self.prompt * self.batch, completion=self.completion * self.batch)

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """USD."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


def price_of(model: str, workspace_root: Path | None) -> Price | None:
    """The price of a model: the workspace's table first; None where neither has it.

    A dated name (gpt-4o-2024-08-06) has the price of its family. Raises UsageError for a table that is none.
    """
    places = [workspace_root / FILE] if workspace_root is not None else []
    for path in (*places, _SHIPPED):
        found = _look(path, model)
        if found is not None:
            return found
    return None


def _look(path: Path, model: str) -> Price | None:
    if not path.is_file():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        models = dict(table.get("models") or {})
        name = next((n for n in sorted(models, key=len, reverse=True) if _is(model, n)), None)
        if name is None:
            return None
        row = models[name]
        share = float(row.get("batch", table.get("batch", _BATCH)))
        return Price(float(row["prompt"]), float(row["completion"]), str(table.get("as_of", "?")), share)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"The price table {path} cannot be read ({error})",
            'write it as [models."NAME"] with prompt = USD and completion = USD a million tokens, '
            "and batch = the share of it that a batch costs",
        ) from error


def _is(model: str, name: str) -> bool:
    rest = model.removeprefix(name)
    return model == name or (rest != model and rest.startswith("-") and rest[1:2].isdigit())
