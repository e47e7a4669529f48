"""From predictions to the judge's verdicts and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from t2s_tui.evaluation.judge.bodies import parameters_of
from t2s_tui.evaluation.judge.client import Ask, Reply, Room
from t2s_tui.evaluation.judge.prompts import prompt_version, render
from t2s_tui.evaluation.judge.routes import ask_by_route
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.metrics import METRICS
from t2s_tui.records import Outcome


def judge_version(settings: JudgeSettings) -> str:
    """Names the rules, the prompt, the model and its parameters: verdicts of another judge are asked anew and
    never mixed."""
    parts = [METRICS["judge"].version, prompt_version(settings.prompt), settings.model]
    return " ".join(parts + [f"{name}={value}" for name, value in parameters_of(settings).items()])


def judge_pairs(
    settings: JudgeSettings,
    pairs: Mapping[str, Pair],
    on_verdict: Callable[[str, Judged], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
    room: Room | None = None,
) -> None:
    """Ask the judge about each pair; `on_verdict` gets the key and the verdict as each arrives.

    Raises what `ask_all` raises. An answer that cannot be read, or that never came, is `missing`.
    """
    asks = []
    for key, pair in pairs.items():
        if not pair.generated.strip():
            on_verdict(key, Judged(Outcome.FAIL, "there is no SQL: not asked", {"model": settings.model}))
            continue
        prompt = render(
            settings.prompt,
            ddl=pair.ddl or "",
            question=pair.question,
            gold=pair.gold,
            generated=pair.generated,
        )
        asks.append(Ask(key, ({"role": "system", "content": prompt},)))

    def on_reply(reply: Reply) -> None:
        on_verdict(reply.example_id, judged(settings, reply))

    ask_by_route(
        settings, asks, on_reply, should_stop, paused, room, lambda text: read_answer(text).yes is not None
    )


def judged(settings: JudgeSettings, reply: Reply) -> Judged:
    """The verdict of one reply."""
    evidence: dict[str, Any] = {
        "model": settings.model,
        "prompt": settings.prompt,
        "attempts": reply.attempts,
    }
    if reply.doubts:
        evidence["in_doubt"] = reply.doubts  # under way when a process died: it may have been paid for twice
    if reply.text is None:
        return Judged(Outcome.MISSING, f"no answer: {reply.trouble}", evidence)
    evidence |= {"answer": reply.text, "usage": reply.usage}
    evidence |= {"cost": reply.cost} if reply.cost is not None else {}
    evidence |= {"cached": True} if reply.cached else {}
    word = read_answer(reply.text)
    if word.rationale:
        evidence["rationale"] = word.rationale
    if word.fault:
        evidence["fault"] = word.fault
    if word.yes is None:
        return Judged(Outcome.MISSING, "the answer cannot be read as yes or no", evidence)
    said = "yes" if word.yes else "no"
    return Judged(
        Outcome.PASS if word.yes else Outcome.FAIL, word.rationale or f"the judge says {said}", evidence
    )
