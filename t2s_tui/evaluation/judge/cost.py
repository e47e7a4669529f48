"""What tokens cost: the price table that ships, and the one that a person keeps in the workspace."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.errors import UsageError

_SHIPPED = Path(__file__).with_name("prices.toml")
FILE = "prices.toml"


@dataclass(frozen=True, slots=True)
class Price:
    """USD a million tokens, and the day the table is of."""

    prompt: float
    completion: float
    as_of: str

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
        return Price(
            float(models[name]["prompt"]), float(models[name]["completion"]), str(table.get("as_of", "?"))
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"The price table {path} cannot be read ({error})",
            'write it as [models."NAME"] with prompt = USD and completion = USD a million tokens',
        ) from error


def _is(model: str, name: str) -> bool:
    rest = model.removeprefix(name)
    return model == name or (rest != model and rest.startswith("-") and rest[1:2].isdigit())
