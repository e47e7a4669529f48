"""A prediction set's judge requests as a file, and results from a file as its verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.comparison import STRICT
from t2s_tui.evaluation.judge.client import Reply, body_of
from t2s_tui.evaluation.judge.cookbook import BadLine, Line, content_of, read_results, request_line
from t2s_tui.evaluation.judge.evidence import stored_evidence
from t2s_tui.evaluation.judge.facts import Said, facts_of
from t2s_tui.evaluation.judge.journal import FILE, Journal, request_key
from t2s_tui.evaluation.judge.panel import ONE, judge_version
from t2s_tui.evaluation.judge.prompts import PROMPTS, prompt_of, with_prompt
from t2s_tui.evaluation.judge.run import judged, messages_of
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.votes import votes_of
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome, Verdict
from t2s_tui.workspace import Workspace


@dataclass
class ImportReport:
    """What came of an import. `missing` examples have no answer in the file; `strangers` are answers to
    requests that no example of the set makes."""

    set_name: str
    model: str
    yes: int = 0
    no: int = 0
    missing: int = 0
    strangers: int = 0
    bad: list[BadLine] = field(default_factory=list)


def export_requests(workspace: Workspace, set_name: str, settings: JudgeSettings) -> Iterator[str]:
    """The requests of a prediction set as lines, in the dataset's order; the example's id is the metadata.

    Raises UsageError when the prompt shows evidence and a row has none, and what `with_prompt` raises.
    """
    settings = with_prompt(settings, workspace)
    prompt, pairs = prompt_of(settings), _pairs(workspace, set_name)
    said = _evidence(workspace, set_name, settings)
    lacking = sum(key not in said for key in pairs) if prompt.needs_evidence else 0
    if lacking:
        raise UsageError(
            f"The prompt {prompt.name!r} shows evidence, and {lacking} of {len(pairs)} rows have none",
            f"run first: t2s-tui evaluate {set_name} --metrics execution,equivalence --wait",
        )
    for key, pair in pairs.items():
        messages = messages_of(prompt, facts_of(pair, said.get(key)))
        yield request_line(body_of(settings, messages), {"example_id": key})


def import_results(
    workspace: Workspace, set_name: str, settings: JudgeSettings | None, lines: Iterable[str], source: str
) -> ImportReport:
    """Take the results as verdicts of the set, each joined to its example by content.

    The prompt may hold the prediction's SQL or its whole raw text: both are looked for. An example without
    an answer is missing, never a no: a later `evaluate` asks it. Raises UsageError when nothing matches.
    """
    found: dict[str, Line] = {}
    report = ImportReport(set_name, "")
    for read in read_results(lines):
        if isinstance(read, BadLine):
            report.bad.append(read)
            continue
        report.model = report.model or str(read.request.get("model", ""))
        content = content_of(read.request)
        if content not in found or read.answer is not None:
            found[content] = read
    settings = with_prompt(settings or JudgeSettings(model=report.model or "imported"), workspace)
    said = _evidence(workspace, set_name, settings)
    verdicts, entries = [], []
    version = judge_version(settings)
    for key, pair in _pairs(workspace, set_name).items():
        forms = [replace(pair, generated=text) for text in dict.fromkeys((pair.generated, pair.raw))]
        asked = [prompt_of(settings).render(facts_of(form, said.get(key))) for form in forms]
        line = next((found.pop(text.strip()) for text in asked if text.strip() in found), None)
        verdict = _verdict(settings, key, line, source)
        report.yes += verdict.outcome is Outcome.PASS
        report.no += verdict.outcome is Outcome.FAIL
        report.missing += verdict.outcome is Outcome.MISSING
        verdicts.append(
            Verdict(set_name, key, "judge", verdict.outcome, verdict.why, verdict.evidence, version)
        )
        if line is not None and line.answer is not None:
            endpoint = settings.base_url or "openai"
            entries.append((request_key(endpoint, line.request), endpoint, line.request, line.answer))
    report.strangers = len(found)
    if not entries:
        raise UsageError(
            f"No request in {source} is about an example of {set_name!r}",
            "import the results of this set's own requests, with the prompt they were made from",
        )
    journal = Journal(workspace.root / FILE)
    try:
        journal.imported(entries)
    finally:
        journal.close()
    with workspace.store() as store:
        store.verdicts.add(verdicts)
    return report


def verdict_rows(workspace: Workspace, set_name: str) -> Iterator[tuple[str, str]]:
    """(prompt, verdict) of each judged example: yes, no, or empty where there is no answer.

    The prompt is the one that was sent, as the journal has it; of several judges the first one's.
    """
    with workspace.store() as store:
        said = store.verdicts.of(set_name, "judge")
    words = {Outcome.PASS: "yes", Outcome.FAIL: "no"}
    journal = Journal(workspace.root / FILE)
    try:
        for key, pair in _pairs(workspace, set_name).items():
            if key in said:
                verdict = said[key]["judge"]
                yield _sent(journal, verdict, pair), words.get(verdict.outcome, "")
    finally:
        journal.close()


def _sent(journal: Journal, verdict: Verdict, pair: Pair) -> str:
    """The prompt that was sent; what the preset makes of the pair where the journal has not got it."""
    vote = next(iter(votes_of(verdict)), None)
    entry = journal.find(vote.request) if vote is not None and vote.request else None
    if entry is not None:
        return str(entry.body["messages"][0]["content"])
    preset = PROMPTS.get(vote.prompt if vote else "reference")
    return preset.render(facts_of(pair)) if preset is not None and not preset.needs_evidence else ""


def _pairs(workspace: Workspace, set_name: str) -> dict[str, Pair]:
    from t2s_tui.evaluation.run import pairs_of

    with workspace.store() as store:
        made = store.predictions.get_set(set_name)
        predictions = store.predictions.of(set_name)
    examples = {e.id: e for e in open_examples(workspace, made.dataset).split(made.split)}
    return {key: pair for key, pair in pairs_of(examples, predictions).items() if pair is not None}


def _evidence(workspace: Workspace, set_name: str, settings: JudgeSettings) -> dict[str, dict[str, Said]]:
    with workspace.store() as store:
        return stored_evidence(store, set_name, settings, ONE, STRICT)


def _verdict(settings: JudgeSettings, key: str, line: Line | None, source: str) -> Judged:
    if line is None:
        return Judged(Outcome.MISSING, "no answer in the file", {"model": settings.model, "source": source})
    if line.answer is None:
        return Judged(
            Outcome.MISSING, f"no answer: {line.error}", {"model": settings.model, "source": source}
        )
    usage: dict[str, Any] = dict(line.answer.get("usage") or {})
    kept = {k: usage[k] for k in ("prompt_tokens", "completion_tokens") if isinstance(usage.get(k), int)}
    message = (line.answer["choices"][0] or {}).get("message") or {}
    sent = request_key(settings.base_url or "openai", line.request)
    reply = Reply(key, str(message.get("content") or ""), "", 1, kept, cached=True, key=sent)
    verdict = judged(settings, reply)
    return Judged(verdict.outcome, verdict.why, {**verdict.evidence, "source": source})
