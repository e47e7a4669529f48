"""A generate job as a form: its values checked, and the request they make. No Textual."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from screens.generate_state import NO_ADAPTER, Known
from t2s_tui.commands.options import free_name
from t2s_tui.errors import T2SError
from t2s_tui.generation.models import resolve_model
from t2s_tui.generation.request import GenerateRequest
from t2s_tui.workspace import Workspace, check_name

EVALUATION_SPLITS = ("eval", "test", "validation", "dev")


def splits_of(known: Known, dataset: str) -> tuple[str, ...]:
    """The splits of the dataset, the one for evaluation first."""
    found = next((d for d in known.datasets if d.name == dataset), None)
    names = list(found.splits) if found else []
    return tuple(sorted(names, key=lambda name: name not in EVALUATION_SPLITS))


def suggested_name(values: Mapping[str, str], workspace: Workspace, taken: frozenset[str]) -> str:
    """`dataset-split-adapter`, or with the model's short name: the first that is free."""
    adapter = values.get("adapter", NO_ADAPTER)
    if adapter in ("", NO_ADAPTER):
        try:
            adapter = resolve_model(values["model"], workspace).short_name
        except T2SError:
            adapter = "model"
    return free_name(f"{values['dataset']}-{values['split']}-{adapter}", taken)


def batch_errors(values: Mapping[str, str], workspace: Workspace, taken: frozenset[str]) -> dict[str, str]:
    """Field -> what is wrong with it, in words; empty when the job can start."""
    errors = {}
    if not values["dataset"]:
        errors["dataset"] = "add a dataset first: esc, 2, a"
    elif not values["split"]:
        errors["split"] = "the dataset has no rows"
    if values["name"] in taken:
        errors["name"] = "there are predictions of that name"
    else:
        try:
            check_name(values["name"], "prediction set")
        except T2SError as error:
            errors["name"] = str(error)
    try:
        resolve_model(values["model"], workspace)
    except T2SError as error:
        errors["model"] = str(error)
    try:
        batch_request(values)
    except ValidationError as error:
        for wrong in error.errors():
            if wrong["type"] == "missing":
                continue  # said above, in better words
            errors.setdefault(str(wrong["loc"][0]), _words(wrong["msg"]))
    return errors


def batch_request(values: Mapping[str, str]) -> GenerateRequest:
    """The request of these values. Raises ValidationError."""
    given = {name: value for name, value in values.items() if value != ""}
    if given.get("adapter") == NO_ADAPTER:
        del given["adapter"]
    return GenerateRequest.model_validate(given)


def _words(message: str) -> str:
    plain = message.replace("Input should be", "must be").split(", unable to parse")[0]
    return plain.replace("a valid integer", "a whole number")
