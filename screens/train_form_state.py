"""A training as a form: presets, the recipe's fields in groups, what is wrong with each value. No Textual."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from t2s_tui.commands.options import free_name
from t2s_tui.errors import T2SError, UsageError
from t2s_tui.generation.models import ModelKind, list_models, resolve_model
from t2s_tui.jobs.board import JobView
from t2s_tui.prompts.templates import list_templates
from t2s_tui.records import Dataset
from t2s_tui.training.recipes import (
    Recipe,
    list_presets,
    load_preset,
    load_recipe,
    parse_recipe,
    recipe_errors,
)
from t2s_tui.training.request import TrainRequest
from t2s_tui.workspace import Workspace, check_name
from widgets.form import FieldSpec

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Adapter": ("lora_r", "lora_alpha", "lora_dropout", "quantization", "precision"),
    "Data": (
        *("prompt", "block_size", "max_rows", "batch_size", "gradient_accumulation"),
        *("share_beginnings", "seed"),
    ),
}
_REST = "Schedule"

#: Fields that no plan depends on: a change of them needs no new count.
_NOT_COUNTED = {
    *("lora_r", "lora_alpha", "lora_dropout", "learning_rate", "lr_scheduler", "warmup_ratio"),
    *("weight_decay", "max_grad_norm", "quantization", "precision", "checkpoint_every"),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to train with, read in one go."""

    datasets: tuple[Dataset, ...]
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    presets: Mapping[str, Recipe]
    runs: frozenset[str]  # names that are taken
    problems: tuple[str, ...] = ()  # own recipes that cannot be used, and why

    def splits(self, dataset: str) -> tuple[str, ...]:
        """The splits of a dataset, `train` first."""
        found = next((d for d in self.datasets if d.name == dataset), None)
        return tuple(sorted(found.splits, key=lambda name: name != "train")) if found else ()


def read_choices(workspace: Workspace, jobs: Sequence[JobView] = ()) -> Choices:
    """Look through the workspace; a user's own presets are `recipes/*.toml` in it. Raises T2SError."""
    problems = []
    with workspace.store() as store:
        datasets, runs = store.datasets.all(), store.runs.all()
    presets = {name: load_preset(name) for name in list_presets()}
    for path in sorted((workspace.root / "recipes").glob("*.toml")):
        try:
            presets[path.stem] = load_recipe(path)
        except T2SError as error:  # one bad file must not keep the others from being used
            problems.append(f"{path.name} is left out. {error}")
    begun = {str(view.job.request.get("run", "")) for view in jobs if view.job.kind == "train"}
    return Choices(
        datasets=tuple(datasets),
        models=tuple(dict.fromkeys(ref.spec for ref in list_models(workspace))),
        prompts=tuple(template.name for template in list_templates(workspace)),
        presets=presets,
        runs=frozenset({run.name for run in runs} | begun),
        problems=tuple(problems),
    )


def form_groups(choices: Choices, dataset: str) -> dict[str, list[FieldSpec]]:
    """What the form asks: the head, then every field of the recipe with its own help.

    `dataset` is the one that is chosen at first: its splits can be.
    """
    names = tuple(d.name for d in choices.datasets)
    splits = choices.splits(dataset)
    groups: dict[str, list[FieldSpec]] = {
        "Training": [
            FieldSpec("preset", "preset", "fills in the fields below", tuple(choices.presets), free=False),
            FieldSpec("dataset", "dataset", "what it learns from", names, free=False),
            FieldSpec("split", "split", "which part of it", splits, free=False),
            FieldSpec("model", "model", "Hub id, folder, .gguf, or smollm2", choices.models),
            FieldSpec("run", "run name", "of the adapter it makes"),
        ]
    }
    grouped = {name for names in _GROUPS.values() for name in names}
    rest = tuple(name for name in Recipe.model_fields if name not in grouped)
    for title, fields in {**_GROUPS, _REST: rest}.items():
        groups[title] = [_spec(name, Recipe.model_fields[name], choices) for name in fields]
    return groups


def _spec(name: str, info: FieldInfo, choices: Choices) -> FieldSpec:
    words = tuple(_choices_of(info.annotation))
    if name == "prompt":
        words = choices.prompts
    return FieldSpec(name, name.replace("_", " "), info.description or "", words, free=not words)


def _choices_of(annotation: Any) -> list[str]:
    """The words that a Literal or bool can be; none for what is typed."""
    if annotation is bool:
        return ["true", "false"]
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return []


def recipe_values(recipe: Recipe) -> dict[str, str]:
    """Every field as the text that stands in the form."""
    return {name: _text(value) for name, value in recipe.model_dump(mode="json").items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _recipe_part(values: Mapping[str, str]) -> dict[str, str | None]:
    """The recipe's fields of a form, empty text as nothing."""
    return {name: values[name] or None for name in Recipe.model_fields}


def form_errors(values: Mapping[str, str], workspace: Workspace, choices: Choices) -> dict[str, str]:
    """Field -> what is wrong with it in words; empty when the training can start."""
    errors: dict[str, str] = {}
    if not choices.datasets:
        errors["dataset"] = "add one first: esc, then 2 and a"
    elif not values["split"]:
        errors["split"] = "the dataset has no rows"
    if values["run"] in choices.runs:
        errors["run"] = "there is a run of that name"
    else:
        _check(errors, "run", lambda: check_name(values["run"], "run"))
    _check(errors, "model", lambda: _trainable(values["model"], workspace))
    for name, words in recipe_errors(_recipe_part(values)).items():
        errors.setdefault(name, words.removeprefix(f"{name} "))
    return errors


def _check(errors: dict[str, str], name: str, check: Callable[[], object]) -> None:
    try:
        check()
    except T2SError as error:
        errors[name] = str(error)


def _trainable(spec: str, workspace: Workspace) -> None:
    if resolve_model(spec, workspace).kind is ModelKind.ENDPOINT:
        raise UsageError("An endpoint cannot be trained", "name a model with weights")


def suggested_run(values: Mapping[str, str], choices: Choices) -> str:
    """`dataset-preset`, the first that is free."""
    return free_name(f"{values['dataset'] or 'run'}-{values['preset']}", choices.runs)


def usable_draft(draft: Mapping[str, str], choices: Choices) -> dict[str, str]:
    """What was in the form when it was left, if its preset, dataset and split are still there."""
    known = draft.get("preset") in choices.presets
    there = draft.get("split", "") in choices.splits(draft.get("dataset", ""))
    return dict(draft) if known and there else {}


def request_of(values: Mapping[str, str]) -> TrainRequest:
    """The request of a form without errors."""
    return TrainRequest(
        run=values["run"],
        dataset=values["dataset"],
        split=values["split"],
        model=values["model"],
        recipe=parse_recipe(_recipe_part(values)),
    )


def plan_key(request: TrainRequest) -> tuple[object, ...]:
    """What the plan depends on: a change of any other field needs no new count."""
    counted = request.recipe.model_dump(exclude=_NOT_COUNTED)
    return (request.dataset, request.split, request.model, *counted.values())


def plan_words(plan: Mapping[str, Any]) -> str:
    """What will happen: `700 examples   61,200 tokens   88 steps   8 examples a step   no row cut`."""
    words = []
    for key, one, many in (
        ("examples", "example", "examples"),
        ("tokens", "token", "tokens"),
        ("steps", "step", "steps"),
        ("effective_batch", "example a step", "examples a step"),
        ("cut_rows", "row cut", "rows cut"),
    ):
        value = plan.get(key)
        if isinstance(value, int | float):
            words.append(f"{value:,.0f} {one}" if value == 1 else f"{value:,.0f} {many}")
    dropped = plan.get("dropped_rows")
    if dropped:
        words.append(f"{dropped:,} left out: the answer does not fit the block size")
    return "   ".join(words)
