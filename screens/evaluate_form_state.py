"""The form of an evaluation as plain values: its fields from the request's own models, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.comparison import mode_named
from t2s_tui.evaluation.judge.estimate import Estimate
from t2s_tui.evaluation.judge.panel import Panel, judges_of, read_also, write_also
from t2s_tui.evaluation.judge.prompts import PROMPTS
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.metrics import METRICS
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.trial import MODES
from t2s_tui.text import duration
from widgets.form import FieldSpec

YES_NO = ("yes", "no")
_FIRST = ("base_url", "model", "prompt")
#: What a person has no need to change here: a request that holds it was made by a command.
_HIDDEN = frozenset({"predictions", "metrics", "judge", "panel", "prompt_text", "timeout", "max_attempts"})
_HELP = {"base_url": "empty: OpenAI's own", "prompt": "which prompt asks: f3 shows it on a row"}
_LABELS = {"also": "more judges"}


class FormErrors(Exception):
    """Field name -> what is wrong with it."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {words}" for name, words in errors.items()))
        self.errors = dict(errors)


def judge_fields() -> tuple[str, ...]:
    """The names of the judge's fields, those that every judge needs first."""
    rest = (n for n in JudgeSettings.model_fields if n not in _HIDDEN and n not in _FIRST)
    return (*_FIRST, *rest)


_PANEL = tuple(Panel.model_fields)


def request_fields() -> tuple[str, ...]:
    """The names of the fields of the request itself, besides the metrics and the judge."""
    return tuple(name for name in EvaluateRequest.model_fields if name not in _HIDDEN)


def form_fields(prompts: Sequence[str] = tuple(PROMPTS)) -> dict[str, tuple[FieldSpec, ...]]:
    """What the form asks: every metric there is, how the evaluation goes, and the judges' fields."""
    metrics = [FieldSpec(m.name, m.name, m.asks, YES_NO, free=False) for m in METRICS.values()]
    request = [_spec(name, EvaluateRequest.model_fields[name]) for name in request_fields()]
    judge = [_spec(name, JudgeSettings.model_fields[name], prompts) for name in judge_fields()]
    panel = [_spec(name, info) for name, info in Panel.model_fields.items()]
    first = len(_FIRST)
    return {"": (*metrics, *request), "Judge": (*judge[:first], *panel, *judge[first:])}


def _spec(name: str, info: FieldInfo, prompts: Sequence[str] = ()) -> FieldSpec:
    words = tuple(prompts) if name == "prompt" else _choices_of(info.annotation)
    label = _LABELS.get(name, name.replace("_", " "))
    if name == "mode":  # tolerant(rel, abs) can be typed
        return FieldSpec(name, label, "how execution compares rows: f2 lists", MODES)
    return FieldSpec(name, label, _HELP.get(name) or info.description or "", words, free=not words)


def _choices_of(annotation: Any) -> tuple[str, ...]:
    if annotation is bool:
        return YES_NO
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    return ()


def first_values(last: Mapping[str, Any], has_database: bool, *, only_judge: bool = False) -> dict[str, str]:
    """What stands in the form at first; `last` is the last request that asked a judge, which may be empty.

    The judge is off, for it may cost money; with `only_judge` it alone is on.
    """
    values = {name: "yes" if (name == "judge") == only_judge else "no" for name in METRICS}
    if not has_database:
        values["execution"] = "no"
    models = (EvaluateRequest, request_fields()), (JudgeSettings, judge_fields()), (Panel, _PANEL)
    for model, names in models:
        values |= {name: _text(_default(model, name)) for name in names}
    judge = last.get("judge") or {}
    known = {name: judge[name] for name in judge_fields() if judge.get(name) not in (None, "")}
    return values | {name: _text(value) for name, value in known.items()} | _last_panel(last)


def _last_panel(last: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a panel as a request's file has it; none where it cannot be read any more."""
    try:
        first, panel = JudgeSettings.model_validate(last["judge"]), Panel.model_validate(last["panel"])
    except (KeyError, ValidationError):
        return {}
    plain = {name: _text(getattr(panel, name)) for name in _PANEL}
    return plain | {"also": write_also(panel.also, first)}


def _default(model: type[BaseModel], name: str) -> Any:
    info = model.model_fields[name]
    return None if info.is_required() else info.get_default(call_default_factory=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def read_form(set_name: str, values: Mapping[str, str]) -> EvaluateRequest:
    """The request that the fields ask for. Raises FormErrors with a word for each field that is wrong."""
    metrics = [metric for metric in METRICS if values.get(metric) == "yes"]
    if not metrics:
        raise FormErrors({next(iter(METRICS)): "turn at least one metric to yes"})
    judge, panel = None, Panel()
    try:
        if "judge" in metrics:
            if not values.get("model"):
                raise FormErrors({"model": "the judge needs a model"})
            judge = JudgeSettings(**_given(values, JudgeSettings, judge_fields()))
            panel = _read_panel(values, judge)
        asked = _given(values, EvaluateRequest, request_fields())
        mode_named(str(asked.get("mode", MODES[0])))
        return EvaluateRequest(predictions=set_name, metrics=metrics, judge=judge, panel=panel, **asked)
    except ValidationError as error:
        raise FormErrors(_words(error)) from error
    except UsageError as error:
        raise FormErrors({"mode": error.cause}) from error


def _read_panel(values: Mapping[str, str], first: JudgeSettings) -> Panel:
    """The other judges, and how often all are asked. Raises FormErrors, ValidationError."""
    try:
        also = read_also(values.get("also", ""), first)
        panel = Panel(also=also, **_given(values, Panel, (name for name in _PANEL if name != "also")))
        judges_of(first, panel)
    except UsageError as error:
        raise FormErrors({"also": error.cause}) from error
    return panel


def _given(values: Mapping[str, str], model: type[BaseModel], names: Iterable[str]) -> dict[str, Any]:
    """What is filled in, as the model reads it; what is left empty keeps its default."""
    found: dict[str, Any] = {}
    for name in names:
        if text := values.get(name, ""):
            annotation = model.model_fields[name].annotation
            if annotation is bool:
                found[name] = text == "yes"
            elif get_origin(annotation) in (list, tuple):
                found[name] = [part.strip() for part in text.split(",") if part.strip()]
            else:
                found[name] = text
    return found


def _words(error: ValidationError) -> dict[str, str]:
    """The first complaint about each field, without pydantic's preface."""
    known = {*judge_fields(), *request_fields(), *_PANEL}
    found: dict[str, str] = {}
    for item in error.errors():
        name = str(item["loc"][0]) if item["loc"] else "model"
        found.setdefault(name if name in known else "model", item["msg"].removeprefix("Value error, "))
    return found


def missing_key(request: EvaluateRequest, environment: Mapping[str, str]) -> dict[str, str]:
    """Field -> what is wrong with a judge's key, empty when nothing is: OpenAI's own endpoint answers nobody
    without one. A command that prints it is not run here."""
    if request.judge is None:
        return {}
    for judge in judges_of(request.judge, request.panel):
        there = judge.key_command or judge.base_url or environment.get(judge.api_key_env, "").strip()
        if not there:
            words = f"{judge.api_key_env} is not set: set it, then start the workbench again"
            return {"api_key_env" if judge == request.judge else "also": words}
    return {}


def key_words(values: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Where the judge's key comes from, and whether it is there."""
    if values.get("key_command"):
        return "The judge's key: printed by the key command when it starts."
    name = values.get("api_key_env") or "OPENAI_API_KEY"
    is_set = "is set" if environment.get(name) else "is not set (a local endpoint needs none)"
    return f"The judge's key: {name} {is_set}."


# -- the estimate -----------------------------------------------------------------------------


def estimate_words(found: Estimate | None) -> str:
    """`112 requests, about 61,000 tokens, 0.35 USD, 2m`; what is not known is said to be."""
    if found is None:
        return ""
    if not found.requests:
        return f"The judge has nothing to ask: {found.kept} rows have its verdict." if found.kept else ""
    tokens = found.prompt_tokens + found.answer_tokens
    parts = [f"{found.requests:,} requests" if found.requests > 1 else "1 request"]
    parts.append(f"{'' if found.counted else 'about '}{tokens:,} tokens")
    if found.cost is not None:
        parts.append(f"{found.cost:.2f} {found.currency}")
    else:
        parts.append("no money: it runs on this machine" if found.local else "its price is not known")
    if found.minutes is not None:
        parts.append(duration(60 * found.minutes))
    if found.batch:
        parts.append("in batches at the batch price, within 24 h")
    kept = f" {found.kept:,} rows have its verdict and are not asked." if found.kept else ""
    return f"The judge: {', '.join(parts)}.{kept}"
