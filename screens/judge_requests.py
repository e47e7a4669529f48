"""What a judge was asked and what it answered, a request a row. Pure but for the reading."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.evaluation.judge.facts import Facts
from t2s_tui.evaluation.judge.journal import FILE, Entry, Journal
from t2s_tui.evaluation.judge.prompts import PROMPTS
from t2s_tui.evaluation.judge.votes import Vote, votes_of
from t2s_tui.records import Example, Outcome, Verdict
from t2s_tui.workspace import Workspace
from widgets.grid import Cell, Column
from widgets.section import visible
from widgets.theme import DIM, WARN, verdict_sign

_COLUMNS = (
    Column("#", 5, right=True),
    Column("J", 1),
    Column("answer"),
    Column("tokens", 7, right=True),
    Column("tries", 5, right=True),
)
_OUTCOMES = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.MISSING}


def request_columns(asked: Sequence[Asked]) -> tuple[Column, ...]:
    """The list of requests; with a column for which vote it is, where a row has several."""
    several = any("votes" in one.verdict.evidence for one in asked)
    return (*_COLUMNS[:2], Column("vote", 16), *_COLUMNS[2:]) if several else _COLUMNS


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the row that was asked about, its vote, and the verdict that came of all its votes."""

    example: Example
    sql: str
    verdict: Verdict
    vote: Vote

    @property
    def outcome(self) -> Outcome:
        """What this vote says."""
        return _OUTCOMES[self.vote.yes]

    @property
    def prompt(self) -> str:
        """What the preset makes of the row; empty where it is another's, or shows evidence."""
        preset = PROMPTS.get(self.vote.prompt)
        if preset is None or preset.needs_evidence:
            return ""
        example = self.example
        facts = Facts(example.ddl, example.question, example.gold, self.sql, example.dialect)
        return preset.render(facts.swapped() if self.vote.swapped else facts)

    @property
    def tokens(self) -> int | None:
        """What the endpoint counted for both ways; None where it did not say."""
        return sum(self.vote.usage.values()) or None


def read_asked(workspace: Workspace, set_name: str, models: Collection[str]) -> list[Asked]:
    """The requests to these models that have a verdict, those without an answer first. Raises NotFound."""
    with workspace.store() as store:
        made = store.predictions.get_set(set_name)
        predictions = store.predictions.of(set_name)
        verdicts = store.verdicts.of(set_name, "judge")
    found = [
        Asked(example, predictions[example.id].sql, verdicts[example.id]["judge"], vote)
        for example in open_examples(workspace, made.dataset).split(made.split)
        if example.id in predictions and example.id in verdicts
        for vote in votes_of(verdicts[example.id]["judge"])
        if vote.model in models
    ]
    return sorted(found, key=lambda asked: asked.vote.yes is not None)


def request_cells(asked: Asked, columns: int, ascii_only: bool) -> Sequence[Cell]:
    """A request in the list, in as many `columns` as that has."""
    vote, tokens = asked.vote, asked.tokens
    cells = (
        str(asked.example.number),
        verdict_sign(asked.outcome, ascii_only),
        vote_name(vote),
        vote.answer or vote.trouble or asked.verdict.why,
        f"{tokens:,}" if tokens is not None else "",
        str(vote.attempts),
    )
    return cells if columns == len(cells) else (*cells[:2], *cells[3:])


def vote_name(vote: Vote) -> str:
    """`gpt-4o 2 swapped`: whose, which of its repeats, and whether the two were exchanged."""
    repeat = f" {vote.repeat + 1}" if vote.repeat else ""
    return f"{vote.judge}{repeat}{' swapped' if vote.swapped else ''}"


def read_entry(workspace: Workspace, asked: Asked) -> Entry | None:
    """The request as the journal has it; None where it has not (made before it kept them)."""
    path = workspace.root / FILE
    if not asked.vote.request or not path.exists():
        return None
    journal = Journal(path)
    try:
        return journal.find(asked.vote.request)
    finally:
        journal.close()


def entry_text(asked: Asked, entry: Entry) -> Text:
    """Everything sent and received, as the journal has it. Keys are in neither."""
    text = Text()
    _verdict(text, asked)
    facts: dict[str, Any] = {"state": entry.state, "endpoint": entry.endpoint, "tries": entry.attempts}
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
    vote, text = asked.vote, Text()
    _verdict(text, asked)
    facts = {"model": vote.model, "prompt": vote.prompt, "attempts": vote.attempts, "usage": vote.usage}
    _part(text, "", "\n".join(f"{name:<9} {_fact(value)}" for name, value in facts.items() if value), DIM)
    if vote.answer:
        _part(text, "received", vote.answer)
    else:
        _part(text, "received", "nothing that counts as an answer", WARN)
    if prompt := asked.prompt:
        _part(text, f"sent, as the preset {vote.prompt} makes it of the row", prompt)
    else:
        _part(text, "sent", "it was made of more than is known here", WARN)
    return text


def _verdict(text: Text, asked: Asked) -> None:
    """What the row's verdict is, and what this vote says where there are several."""
    _part(text, "verdict", f"{asked.verdict.outcome}: {asked.verdict.why}")
    vote = asked.vote
    if "votes" in asked.verdict.evidence:
        _part(text, f"this vote: {vote_name(vote)}", f"{vote.word} {vote.trouble}".rstrip())
    for name, words in (("reasons", vote.rationale), ("fault", vote.fault)):
        if words:
            _part(text, name, words)


def _part(text: Text, title: str, body: str, style: Any = "") -> None:
    if text:
        text.append("\n\n" if title else "\n")
    if title:
        text.append(title, "bold").append("\n")
    text.append(visible(body), style)


def _fact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)
