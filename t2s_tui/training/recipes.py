"""Recipes: everything a training depends on besides its data and model. No torch here.

A recipe is a TOML file; presets ship in `presets/`. What is wrong is said per field, for forms.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from t2s_tui.errors import FieldError, NotFound, UsageError

_FOLDER = Path(__file__).resolve().parent / "presets"
DEFAULT_PRESET = "book"


class Recipe(BaseModel):
    """A training's hyperparameters. One optimizer step sees `batch_size * gradient_accumulation` rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field("book", min_length=1, description="prompt template, in training and in answering")
    learning_rate: float = Field(2e-4, gt=0, le=1, description="peak learning rate, such as 2e-4")
    batch_size: int = Field(8, ge=1, le=1024, description="rows in one forward pass")
    gradient_accumulation: int = Field(8, ge=1, le=1024, description="forward passes in one optimizer step")
    epochs: float = Field(1.0, gt=0, le=100, description="passes over the rows; may be a fraction")
    block_size: int = Field(
        1024, ge=64, le=131072, description="longest row in tokens; the DDL is cut to fit, never the answer"
    )
    share_beginnings: bool = Field(
        False, description="compute what rows of one DDL begin with once: the same loss, less work"
    )
    max_rows: int | None = Field(None, ge=1, description="train on so many rows at most; empty for all")
    warmup_ratio: float = Field(0.1, ge=0, lt=1, description="share of the steps that warm up")
    lr_scheduler: Literal["linear", "cosine", "constant"] = Field(
        "linear", description="how the learning rate falls after the warm-up: linear, cosine or constant"
    )
    weight_decay: float = Field(0.01, ge=0, le=1, description="AdamW's weight decay")
    max_grad_norm: float = Field(1.0, gt=0, le=1000, description="gradients are clipped to this norm")
    lora_r: int = Field(16, ge=1, le=1024, description="rank of the LoRA matrices, on all linear layers")
    lora_alpha: int = Field(32, ge=1, le=4096, description="LoRA's scale: alpha / rank multiplies")
    lora_dropout: float = Field(0.05, ge=0, lt=1, description="dropout before the LoRA matrices")
    quantization: Literal["auto", "nf4", "none"] = Field(
        "auto", description="auto: 4-bit NF4 where CUDA is; nf4; none"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="auto: bf16 where the hardware multiplies it, fp16 before Ampere, else fp32"
    )
    checkpoint_every: int = Field(50, ge=1, description="steps between two checkpoints")
    seed: int = Field(42, ge=0, lt=2**32, description="seed of the shuffle, the adapter and the dropout")

    @property
    def effective_batch(self) -> int:
        """Rows in one optimizer step."""
        return self.batch_size * self.gradient_accumulation

    def changed(self, changes: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields changed; text is read as the field's type, empty text as nothing.

        Raises FieldError for the first field that is unknown or wrong.
        """
        plain = {
            key: None if isinstance(value, str) and not value.strip() else value
            for key, value in changes.items()
        }
        return parse_recipe({**self.model_dump(), **plain})


#: One line of help a field, in the order of the recipe.
FIELD_HELP: dict[str, str] = {name: info.description or "" for name, info in Recipe.model_fields.items()}


def parse_recipe(values: Mapping[str, Any]) -> Recipe:
    """The recipe of these values. Raises FieldError for the first field that is unknown or wrong."""
    try:
        return Recipe.model_validate(dict(values))
    except ValidationError as error:
        raise _field_errors(error)[0] from None


def recipe_errors(values: Mapping[str, Any]) -> dict[str, str]:
    """Field -> what is wrong with it, for a form that shows all at once; empty when the recipe is right."""
    plain = {k: None if isinstance(v, str) and not v.strip() else v for k, v in values.items()}
    try:
        Recipe.model_validate(plain)
    except ValidationError as error:
        return {problem.field: problem.cause for problem in reversed(_field_errors(error))}
    return {}


def list_presets() -> list[str]:
    """The names of the recipes that ship with t2s-tui, the reference first."""
    names = sorted(path.stem for path in _FOLDER.glob("*.toml"))
    return sorted(names, key=lambda name: name != DEFAULT_PRESET)


def load_preset(name: str) -> Recipe:
    """A recipe that ships with t2s-tui. Raises NotFound, naming those there are."""
    if name not in list_presets():
        raise NotFound(
            f"There is no preset {name!r}", f"use one of {', '.join(list_presets())}, or a recipe file"
        )
    return load_recipe(_FOLDER / f"{name}.toml")


def load_recipe(path: Path) -> Recipe:
    """A recipe from a TOML file; fields it leaves out are the reference's.

    Raises UsageError when it cannot be read, FieldError when a field is unknown or wrong.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"The recipe {path} cannot be read ({why})", "check the path") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The recipe {path} is not TOML ({error})", "write it like a preset") from error
    return parse_recipe(values)


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [_field_error(dict(problem)) for problem in error.errors()]


def _field_error(problem: Mapping[str, Any]) -> FieldError:
    field = str(problem["loc"][0]) if problem["loc"] else "recipe"
    if problem["type"] == "extra_forbidden":
        return FieldError(field, f"A recipe has no field {field!r}", f"it has {', '.join(FIELD_HELP)}")
    return FieldError(field, f"{field} {_wrong(problem)}", FIELD_HELP.get(field, ""))


def _wrong(problem: Mapping[str, Any]) -> str:
    """pydantic's finding in plain words."""
    kind, bounds = str(problem["type"]), dict(problem.get("ctx") or {})
    value = problem.get("input")
    words = {
        "greater_than": f"must be more than {bounds.get('gt')}",
        "greater_than_equal": f"must be at least {bounds.get('ge')}",
        "less_than": f"must be less than {bounds.get('lt')}",
        "less_than_equal": f"must be at most {bounds.get('le')}",
        "literal_error": f"must be {bounds.get('expected')}",
        "string_too_short": "must not be empty",
    }
    if value is None:
        return "must not be empty"
    if kind.startswith("bool"):
        return f"must be true or false, not {value}"
    if kind in words:
        return f"{words[kind]}, not {value}"
    if kind.startswith("int"):
        return f"must be a whole number, not {value}"
    if kind.startswith("float"):
        return f"must be a number, not {value}"
    return f"is wrong ({problem['msg']})"
