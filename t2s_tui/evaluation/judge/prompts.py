"""What the judge is asked. `reference` is byte for byte the prompt of issue 2.

The others ask for the reasons before the word: a model that writes them first judges better than one that
explains itself afterwards (Wei et al. 2022, chain-of-thought prompting).
"""

from __future__ import annotations

import hashlib

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

_PLACES = "\n\nDDL: {ddl}\nQuestion: {question}\ngt_sql: {gold}\ngen_sql: {generated}"

_KOREAN = (
    "아래 DDL과 질문을 보고 gen_sql이 질문에 맞는 답을 내는지 평가하세요. "
    'gen_sql과 gt_sql이 같은 일을 하면 "yes", 아니면 "no"입니다. '
    '다음 JSON 형식으로만 답하세요: {"resolve_yn": ""}' + _PLACES
)

_FAULTS = "none, table, column, join, condition, value, aggregate, grouping, order, limit, syntax, other"

_RUBRIC = (
    "You review SQL. Decide whether gen_sql answers the Question as gt_sql does on every database of this "
    "DDL. First compare tables and joins, then conditions and their values, then grouping and aggregates, "
    "then the columns returned, and order and limit only where the Question asks for them. "
    f"Name the leading fault as one of: {_FAULTS}. "
    'Output JSON: {"rationale": "one or two sentences", "fault": "", "resolve_yn": "yes or no"}' + _PLACES
)

_RUBRIC_KOREAN = (
    "당신은 SQL 검토자입니다. 이 DDL을 가진 모든 데이터베이스에서 "
    "gen_sql이 gt_sql과 같이 질문에 답하는지 판단하세요. "
    "먼저 테이블과 조인, 다음으로 조건과 값, 그룹과 집계, 반환하는 컬럼을 비교하고, "
    "정렬과 개수 제한은 질문이 요구할 때만 비교하세요. "
    f"가장 큰 오류를 다음 중 하나로 적으세요: {_FAULTS}. "
    '다음 JSON 형식으로만 답하세요: {"rationale": "한두 문장", "fault": "", "resolve_yn": "yes 또는 no"}'
    + _PLACES
)

PROMPTS = {
    "reference": REFERENCE,
    "reference-ko": _KOREAN,
    "rubric": _RUBRIC,
    "rubric-ko": _RUBRIC_KOREAN,
}


def prompt_version(name: str) -> str:
    """The prompt's name with a hash of its text: a changed prompt is another judge."""
    return f"{name}@{hashlib.sha256(PROMPTS[name].encode()).hexdigest()[:8]}"


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
