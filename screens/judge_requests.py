"""What a judge was asked and what it answered, a request a row. Pure but for the reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.evaluation.judge.client import body_of
from t2s_tui.evaluation.judge.journal import FILE, Entry, Journal, request_key
from t2s_tui.evaluation.judge.prompts import PROMPTS, render
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.records import Example, Outcome, Verdict
from t2s_tui.workspace import Workspace
from widgets.grid import Cell, Column
from widgets.section import visible
from widgets.theme import DIM, WARN, verdict_sign

REQUEST_COLUMNS = (
    Column("#", 5, right=True),
    Column("J", 1),
    Column("answer"),
    Column("tokens", 7, right=True),
    Column("tries", 5, right=True),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the row that was asked about, with its generated SQL, and the verdict that came of it."""

    example: Example
    sql: str
    verdict: Verdict

    @property
    def prompt(self) -> str:
        """What the preset makes of the row, rendered when it is looked at; empty where the preset is gone."""
        name = str(self.verdict.evidence.get("prompt", ""))
        example = self.example
        if name not in PROMPTS:
            return ""
        return render(name, ddl=example.ddl, question=example.question, gold=example.gold, generated=self.sql)

    @property
    def tokens(self) -> int | None:
        """What the endpoint counted for both ways; None where it did not say."""
        usage = self.verdict.evidence.get("usage")
        counts = [n for n in usage.values() if isinstance(n, int)] if isinstance(usage, Mapping) else []
        return sum(counts) if counts else None


def read_asked(workspace: Workspace, set_name: str, model: str) -> list[Asked]:
    """The requests to that model that have a verdict, those without an answer first. Raises NotFound."""
    with workspace.store() as store:
        made = store.predictions.get_set(set_name)
        predictions = store.predictions.of(set_name)
        verdicts = store.verdicts.of(set_name, "judge")
    found = [
        Asked(example, predictions[example.id].sql, said)
        for example in open_examples(workspace, made.dataset).split(made.split)
        if example.id in predictions
        and (said := verdicts.get(example.id, {}).get("judge")) is not None
        and said.evidence.get("model") == model
    ]
    return sorted(found, key=lambda asked: asked.verdict.outcome is not Outcome.MISSING)


def request_cells(asked: Asked, ascii_only: bool) -> Sequence[Cell]:
    """A request in the list."""
    evidence, verdict = asked.verdict.evidence, asked.verdict
    answer = str(evidence.get("answer") or verdict.why)
    tokens = asked.tokens
    return (
        str(asked.example.number),
        verdict_sign(verdict.outcome, ascii_only),
        answer,
        f"{tokens:,}" if tokens is not None else "",
        str(evidence.get("attempts", "")),
    )


def read_entry(workspace: Workspace, judge: Mapping[str, Any], asked: Asked) -> Entry | None:
    """The request as the journal has it; None where it has not (made before it, or with other settings)."""
    path = workspace.root / FILE
    prompt = asked.prompt
    if not prompt or not path.exists():
        return None
    settings = JudgeSettings.model_validate(judge)
    body = body_of(settings, [{"role": "system", "content": prompt}])
    journal = Journal(path)
    try:
        return journal.find(request_key(settings.base_url or "openai", body))
    finally:
        journal.close()


def entry_text(asked: Asked, entry: Entry) -> Text:
    """Everything sent and received, as the journal has it. Keys are in neither."""
    text = Text()
    _part(text, "verdict", f"{asked.verdict.outcome}: {asked.verdict.why}")
    facts = {"state": entry.state, "endpoint": entry.endpoint, "tries": entry.attempts}
    facts |= {"in doubt": f"{entry.doubts}: it may have been paid for twice"} if entry.doubts else {}
    facts |= {"tokens": f"{entry.prompt_tokens} + {entry.completion_tokens}"} if entry.answer else {}
    facts |= {"sent as": entry.adapted} if entry.adapted else {}
    facts |= {"cost": f"{entry.cost:.6f} USD"} if entry.cost is not None else {}
    _part(text, "", "\n".join(f"{name:<9} {value}" for name, value in facts.items()), DIM)
    if entry.error:
        _part(text, "error", entry.error, WARN)
    _part(text, "received", _pretty(entry.answer) if entry.answer is not None else "no answer")
    _part(text, "sent", _pretty({key: value for key, value in entry.body.items() if key != "messages"}))
    for message in entry.body.get("messages", ()):
        _part(text, f"sent: {message.get('role', '')}", str(message.get("content", "")))
    return text


def _pretty(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def request_text(asked: Asked) -> Text:
    """What was sent and what came back, as far as the verdict tells it: for what the journal has not."""
    evidence = asked.verdict.evidence
    text = Text()
    _part(text, "verdict", f"{asked.verdict.outcome}: {asked.verdict.why}")
    facts = {k: evidence[k] for k in ("model", "prompt", "attempts", "usage") if evidence.get(k)}
    _part(text, "", "\n".join(f"{name:<9} {_fact(value)}" for name, value in facts.items()), DIM)
    if answer := evidence.get("answer"):
        _part(text, "received", str(answer))
    else:
        _part(text, "received", "nothing that counts as an answer", WARN)
    if prompt := asked.prompt:
        _part(text, f"sent, as the preset {evidence.get('prompt')} makes it of the row", prompt)
    else:
        _part(text, "sent", "the preset that asked this is not here any more", WARN)
    return text


def _part(text: Text, title: str, body: str, style: Any = "") -> None:
    if text:
        text.append("\n\n" if title else "\n")
    if title:
        text.append(title, "bold").append("\n")
    text.append(visible(body), style)


def _fact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)
