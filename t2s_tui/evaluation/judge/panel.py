"""Several judges, or one asked several times: who they are, and what their words come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.judge.bodies import parameters_of
from t2s_tui.evaluation.judge.prompts import prompt_of, with_prompt
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.metrics import METRICS
from t2s_tui.workspace import Workspace

Rule = Literal["majority", "all", "each"]

#: What `also` calls the fields of a judge.
_SHORT = {
    "url": "base_url",
    "key_env": "api_key_env",
    "rpm": "requests_per_minute",
    "tpm": "tokens_per_minute",
}
_OF_THE_RUN = {"budget", "reuse"}
_OF_THE_ENDPOINT = ("api_key_env", "key_command", "requests_per_minute", "tokens_per_minute")


class Panel(BaseModel):
    """Who judges besides the first judge, how often each is asked, and the rule over their words.

    `majority`: what more than half of all votes say. `all`: yes only if every vote is yes. `each`: the first
    judge decides, the others stand beside it. What no rule decides is missing, never a no.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    also: list[JudgeSettings] = Field(
        default_factory=list, description="more judges: model=..., prompt=..., url=...; model=..."
    )
    vote: Rule = Field("majority", description="majority; all: every vote is yes; each: the first decides")
    repeats: int = Field(1, ge=1, le=25, description="how often each judge is asked")
    swap: bool = Field(False, description="ask with gold and generated exchanged, too: shows position bias")

    @property
    def one(self) -> bool:
        """Whether there is one judge with one vote a row."""
        return not self.also and self.repeats == 1 and not self.swap

    @property
    def votes(self) -> int:
        """How many times each judge is asked about a row."""
        return self.repeats * (2 if self.swap else 1)


ONE = Panel()


def judges_of(first: JudgeSettings, panel: Panel = ONE) -> tuple[JudgeSettings, ...]:
    """All judges. The budget and what is taken from the journal are the first one's: they are of the run.

    Raises UsageError when one is there twice: the journal would answer for the second.
    """
    shared = {name: getattr(first, name) for name in _OF_THE_RUN}
    found = (first, *(judge.model_copy(update=shared) for judge in panel.also))
    who = [(judge.base_url, judge.model, judge.prompt, judge.prompt_text) for judge in found]
    if len(set(who)) < len(who):
        raise UsageError(
            f"The judge {next(w for w in who if who.count(w) > 1)[1]} is there twice",
            "ask one judge several times with --judge-repeats, or give the second another prompt",
        )
    return found


def with_prompts(first: JudgeSettings, panel: Panel, workspace: Workspace) -> tuple[JudgeSettings, Panel]:
    """Both with the texts of the user's own prompts. Raises NotFound, DataError, UsageError."""
    also = [with_prompt(judge, workspace) for judge in panel.also]
    first, panel = with_prompt(first, workspace), panel.model_copy(update={"also": also})
    judges_of(first, panel)
    return first, panel


def labels(judges: Sequence[JudgeSettings]) -> list[str]:
    """What each is called: its model, and what else is needed to tell it from the others."""
    ways = (
        lambda j: j.model,
        lambda j: f"{j.model} · {j.prompt}",
        lambda j: f"{j.model} · {j.prompt} · {_place(j)}",
    )
    for way in ways:
        found = [way(judge) for judge in judges]
        if len(set(found)) == len(found):
            return found
    return [f"{name} · {number}" for number, name in enumerate(found, start=1)]


def _place(judge: JudgeSettings) -> str:
    return urlsplit(judge.base_url).netloc if judge.base_url else "OpenAI"


def judge_version(first: JudgeSettings, panel: Panel = ONE) -> str:
    """Names the rules, the prompts, the models and their parameters: verdicts of other judges are asked anew,
    and never mixed."""
    who = " + ".join(map(_version_of, judges_of(first, panel)))
    if panel.one:
        return f"{METRICS['judge'].version} {who}"
    swap = " swap" if panel.swap else ""
    return f"{METRICS['judge'].version} {panel.vote} x{panel.repeats}{swap}: {who}"


def _version_of(judge: JudgeSettings) -> str:
    parameters = [f"{name}={value}" for name, value in parameters_of(judge).items()]
    return " ".join([prompt_of(judge).version, judge.model, *parameters])


def combined(rule: Rule, judges: Sequence[Sequence[bool | None]]) -> bool | None:
    """What the votes of all judges come to; None is a vote that is missing, and a row that is not decided.

    First the votes of each judge, then the words of the judges: the repeats of one do not outvote another.
    """
    words = [_decide("majority" if rule == "each" else rule, votes) for votes in judges]
    return words[0] if rule == "each" else _decide(rule, words)


def _decide(rule: Rule, votes: Sequence[bool | None]) -> bool | None:
    """More than half of all votes, the missing ones among them; for `all` every one, and one no is enough."""
    yes, no = votes.count(True), votes.count(False)
    if rule == "all":
        return True if yes == len(votes) else False if no else None
    return True if 2 * yes > len(votes) else False if 2 * no > len(votes) else None


# -- as one line --------------------------------------------------------------------------------


def read_also(text: str, first: JudgeSettings) -> list[JudgeSettings]:
    """More judges from `model=..., prompt=..., url=...; model=...`. Raises UsageError.

    What is not named is as the first judge's; but its key and its limits are its endpoint's, and are not
    taken to another one. A bare word is a model.
    """
    return [_read_one(part, first) for part in text.split(";") if part.strip()]


def _read_one(text: str, first: JudgeSettings) -> JudgeSettings:
    named = dict(_pair(piece, text) for piece in text.split(",") if piece.strip())
    unknown = [name for name in named if name not in JudgeSettings.model_fields or name in _OF_THE_RUN]
    if unknown or "prompt_text" in named:
        known = "model, prompt, url, key_env, key_command, rpm, tpm, concurrency, timeout"
        raise UsageError(
            f"A judge has no {(unknown or ['prompt_text'])[0]!r} of its own", f"there is {known}"
        )
    base = first.model_dump(exclude={"prompt_text"} if "prompt" in named else set())
    if (named.get("base_url") or first.base_url or "") != (first.base_url or ""):
        base = {name: value for name, value in base.items() if name not in _OF_THE_ENDPOINT}
    try:
        return JudgeSettings.model_validate({**base, **named})
    except ValidationError as error:
        item = error.errors()[0]
        words = str(item["msg"]).removeprefix("Value error, ")
        raise UsageError(f"The judge {text.strip()!r} is wrong ({item['loc'][0]}: {words})") from error


def _pair(piece: str, text: str) -> tuple[str, str]:
    name, is_named, value = piece.partition("=")
    if not is_named:
        return "model", name.strip()
    if not value.strip():
        raise UsageError(f"The judge {text.strip()!r} is wrong ({name.strip()} has no value)")
    name = name.strip()
    return _SHORT.get(name, name), value.strip()


def write_also(judges: Iterable[JudgeSettings], first: JudgeSettings) -> str:
    """What `read_also` reads: of each judge only what differs from the first."""
    long = {field: short for short, field in _SHORT.items()}
    found = []
    for judge in judges:
        mine, theirs = judge.model_dump(exclude={"prompt_text", *_OF_THE_RUN}), first.model_dump()
        if judge.base_url != first.base_url:
            plain = JudgeSettings(model=judge.model).model_dump()
            theirs |= {name: plain[name] for name in _OF_THE_ENDPOINT}
        parts = [
            f"{long.get(name, name)}={value}"
            for name, value in mine.items()
            if name == "model" or (value is not None and value != theirs[name])
        ]
        found.append(", ".join(sorted(parts, key=lambda part: not part.startswith("model="))))
    return "; ".join(found)
