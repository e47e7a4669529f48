"""What the judge is asked. `reference` is byte for byte the prompt of issue 2."""

from __future__ import annotations

REFERENCE = (
    "Based on below DDL and Question, evaluate gen_sql can resolve Question. "
    'If gen_sql and gt_sql do equal job, return "yes" else return "no". '
    'Output JSON Format: {"resolve_yn": ""}\n'
    "\n"
    "DDL: {ddl}\n"
    "Question: {question}\n"
    "gt_sql: {gold}\n"
    "gen_sql: {generated}"
)

PROMPTS = {"reference": REFERENCE}


def render(name: str, *, ddl: str, question: str, gold: str, generated: str) -> str:
    """The prompt with its four places filled in one pass: braces in the values stay as they are."""
    values = {"{ddl}": ddl, "{question}": question, "{gold}": gold, "{generated}": generated}
    text, out = PROMPTS[name], []
    while text:
        places = [(text.find(place), place) for place in values if place in text]
        if not places:
            out.append(text)
            break
        at, place = min(places)
        out += [text[:at], values[place]]
        text = text[at + len(place) :]
    return "".join(out)
