"""The verdicts on one prediction as lines: a line a metric, the evidence of one, the whole record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.text import Text

from screens.judge_requests import vote_name
from t2s_tui.evaluation.judge.votes import votes_of
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.records import METRIC_ORDER, Outcome, Verdict
from widgets.counterexample import equivalence_lines, equivalence_note
from widgets.evidence import MAX_ROWS, evidence_lines
from widgets.section import paragraph, visible, wrapped
from widgets.sql_view import sql_text
from widgets.theme import BOLD, DIM, WARN, verdict_sign

#: The order in which the evidence is stepped through: what ran first, then what was said, then the text.
STEPS = ("equivalence", "execution", "judge", "normalized", "human")


# -- a line a metric --------------------------------------------------------------------------


def verdict_lines(
    verdicts: Mapping[str, Verdict], width: int, ascii_only: bool, current: str = ""
) -> list[Text]:
    """A line a metric that was run: its sign, its name, what it said. The `current` one has a pointer."""
    order = [m for m in METRIC_ORDER if m in verdicts] + sorted(set(verdicts) - set(METRIC_ORDER))
    pointer = ">" if ascii_only else "▸"
    lines: list[Text] = []
    for metric in order:
        verdict = verdicts[metric]
        head = Text(f"{pointer} " if metric == current else "  ", BOLD)
        head = Text().append_text(head).append_text(verdict_sign(verdict.outcome, ascii_only))
        head.append(f" {metric:<12}")
        lines += wrapped(verdict_words(verdict), width, head, " " * head.cell_len)
    return lines or wrapped(Text("no verdicts yet: press E to evaluate", style=DIM), width, "  ", "  ")


def verdict_words(verdict: Verdict) -> Text:
    """What the metric said in words; a judge with its model, and in quotes what it wrote."""
    text = Text()
    if verdict.metric == "judge":
        word = {Outcome.PASS: "yes", Outcome.FAIL: "no"}.get(verdict.outcome, str(verdict.outcome))
        text.append(word, "bold")
        if model := verdict.evidence.get("model"):
            text.append(f"  {visible(str(model))}", DIM)
        if rationale := verdict.evidence.get("rationale"):
            return text.append(f"  “{_flat(str(rationale))}”")  # quotes: these are the judge's own words
        decided = verdict.outcome in (Outcome.PASS, Outcome.FAIL)
        return text if decided else text.append(f"  {_flat(verdict.why)}")
    if verdict.metric == "human":
        text.append("right" if verdict.outcome is Outcome.PASS else "wrong", "bold")
        note = verdict.evidence.get("note")
        return text.append(f"  {_flat(str(note))}") if note else text
    return text.append(_flat(verdict.why), WARN if verdict.evidence.get("weak") else "")


def _flat(text: str) -> str:
    return " ".join(visible(text).split())


# -- the evidence of one metric ---------------------------------------------------------------


def steps_of(verdicts: Mapping[str, Verdict]) -> list[str]:
    """The metrics whose evidence there is something to see of, in the order of STEPS."""
    return [m for m in STEPS if m in verdicts and evidence_of(verdicts[m], 80)]


def first_step(verdicts: Mapping[str, Verdict]) -> str:
    """Where to begin: at what shows that it is wrong, else at the first there is; empty without any."""
    steps = steps_of(verdicts)
    wrong = [m for m in steps if verdicts[m].outcome in (Outcome.FAIL, Outcome.ERROR) and m in STEPS[:2]]
    return next(iter(wrong or steps), "")


def evidence_note(verdict: Verdict) -> str:
    """What stands behind the name of the metric: how the verdict was come to, and how far it goes."""
    evidence = verdict.evidence
    if verdict.metric == "equivalence":
        return equivalence_note(verdict.outcome, evidence)
    if verdict.metric == "execution":
        mode, engine = evidence.get("mode", ""), evidence.get("engine", "")
        return " · ".join(str(p) for p in (engine, mode, "weak" if evidence.get("weak") else "") if p)
    if verdict.metric == "judge":
        parts = (evidence.get("model"), evidence.get("prompt"))
        return " · ".join(visible(str(p)) for p in parts if p)
    return ""


def evidence_of(verdict: Verdict, width: int, *, cap: int = MAX_ROWS, ascii_only: bool = False) -> list[Text]:
    """The evidence as lines; tables are drawn with at most `cap` rows. Empty where there is none to see."""
    evidence = verdict.evidence
    match verdict.metric:
        case "equivalence":
            lines = equivalence_lines(evidence, width, cap=cap, ascii_only=ascii_only)
            told = "counterexample" in evidence or "strict" in evidence
            return lines if told or not verdict.why else [*paragraph(verdict.why, width), *lines]
        case "judge":
            return judge_lines(verdict, width)
        case "normalized":
            faults = [str(fault) for fault in evidence.get("faults", ())]
            return wrapped(Text(", ".join(map(visible, faults))), width, "  ", "  ") if faults else []
        case "human":
            return human_lines(verdict, width)
    wrong, same = verdict.outcome is Outcome.FAIL, verdict.outcome is Outcome.PASS
    return evidence_lines(evidence, width, cap=cap, ordered=wrong, same=same, ascii_only=ascii_only)


def judge_lines(verdict: Verdict, width: int) -> list[Text]:
    """What the judge wrote, in full, and what it took to get it."""
    evidence = verdict.evidence
    lines: list[Text] = []
    if rationale := evidence.get("rationale"):
        lines += paragraph(str(rationale), width)
    if fault := evidence.get("fault"):
        lines += wrapped(Text(f"fault: {visible(str(fault))}"), width, "  ", "  ")
    if "votes" in evidence:
        lines += _vote_lines(verdict, width)
    if answer := evidence.get("answer"):
        lines += [Text("  answer", BOLD), *paragraph(str(answer), width)]
    elif verdict.outcome is Outcome.MISSING:
        lines += paragraph(verdict.why, width, "yellow")
    usage = evidence.get("usage")
    words = [f"{usage[k]} {k.replace('_', ' ')}" for k in sorted(usage, reverse=True)] if usage else []
    if (attempts := evidence.get("attempts", 1)) != 1:
        words.append(f"{attempts} tries")
    if lines and words:
        lines += wrapped(Text(" · ".join(words), style=DIM), width, "  ", "  ")
    return lines


def _vote_lines(verdict: Verdict, width: int) -> list[Text]:
    """Every vote of several: whose it is, what it says, and why."""
    lines = [Text("  votes", BOLD)]
    for vote in votes_of(verdict):
        reason = vote.rationale or vote.trouble
        words = f"{vote_name(vote)}: {vote.word}{f', {reason}' if reason else ''}"
        lines += wrapped(Text(visible(words)), width, "  ", "    ")
    return lines


def human_lines(verdict: Verdict, width: int) -> list[Text]:
    """The note in full, and when it was written."""
    lines = paragraph(str(verdict.evidence["note"]), width) if verdict.evidence.get("note") else []
    at = verdict.evidence.get("at")
    if lines and isinstance(at, int | float):
        lines.append(Text(f"  {datetime.fromtimestamp(at):%Y-%m-%d %H:%M}", style=DIM))
    return lines


# -- the whole record -------------------------------------------------------------------------


def record_text(row: ReviewRow, verdicts: Mapping[str, Verdict], width: int, ascii_only: bool) -> Text:
    """Everything that is known of one prediction, in full."""
    example, prediction = row.example, row.prediction
    tokens = f"{prediction.prompt_tokens} prompt + {prediction.new_tokens} new tokens"
    how = f"{tokens}, {prediction.seconds:.2f} s, ended by {prediction.stopped}"
    parts: list[tuple[str, Text]] = [
        ("question", Text(visible(example.question))),
        ("gold", sql_text(example.gold)),
        *((("also accepted", sql_text(sql))) for sql in example.accepted),
        ("generated", sql_text(prediction.sql)),
        ("raw answer", Text(visible(prediction.raw))),
        ("decoding", Text(how)),
        ("verdicts", Text("\n").join(verdict_lines(verdicts, width, ascii_only))),
    ]
    for metric in [m for m in METRIC_ORDER if m in verdicts]:
        verdict = verdicts[metric]
        if lines := evidence_of(verdict, width, cap=1000, ascii_only=ascii_only):
            note = evidence_note(verdict)
            parts.append((f"{metric}: {note}" if note else metric, Text("\n").join(lines)))
        ran = verdict.evidence.get("ran")
        for side, sql in (ran if isinstance(ran, Mapping) else {"": ran}).items():
            if sql:
                parts.append((f"{metric}: what ran {side}".rstrip(), sql_text(str(sql))))
    parts.append(("DDL", sql_text(example.ddl)))
    parts.append(("from", Text(visible(f"{example.origin}  database {example.database or 'none'}"))))
    text = Text()
    for title, value in parts:
        text.append("\n\n" if text else "").append(title, "bold").append("\n").append_text(value)
    return text
