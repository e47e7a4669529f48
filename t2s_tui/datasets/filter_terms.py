"""The filter language of dataset rows: what a person types, taken apart and checked. No Arrow here.

    db:game split:eval,dev hard:extra join:>=2 nest:>=1 finding:leak lang:ko sql:"group by" 로그인 -word

Terms are separated by spaces and must all hold; a comma in a field's value means any of them; `-` before a
term means not. Quotes keep spaces, commas and colons together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from t2s_tui.errors import UsageError
from t2s_tui.text import nfc

Kind = Literal["exact", "contains", "number", "finding", "marked"]

#: What plain words are looked for in.
WORD_COLUMNS = ("question", "gold", "db_id", "id", "evidence")


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field: how it compares and the column it looks at. `audited` columns exist after an audit only."""

    kind: Kind
    column: str
    help: str
    audited: bool = False


FIELDS: Mapping[str, FilterField] = {
    "db": FilterField("exact", "db_id", "the database"),
    "split": FilterField("exact", "split", "the split"),
    "hard": FilterField("exact", "hardness", "the hardness: easy, medium, hard, extra"),
    "dialect": FilterField("exact", "dialect", "the SQL dialect"),
    "sql": FilterField("contains", "gold", "words in the gold SQL"),
    "gold": FilterField("contains", "gold", "the same as sql"),
    "ask": FilterField("contains", "question", "words in the question"),
    "ddl": FilterField("contains", "ddl", "words in the DDL"),
    "extra": FilterField("contains", "extra", "words in what else the source says"),
    "from": FilterField("contains", "origin", "words in file:line of the source"),
    "row": FilterField("number", "number", "the row's number"),
    "join": FilterField("number", "joins", "joins in the gold SQL", audited=True),
    "nest": FilterField("number", "nesting", "nested queries in the gold SQL", audited=True),
    "agg": FilterField("number", "aggregates", "aggregates in the gold SQL", audited=True),
    "tokens": FilterField("number", "tokens", "tokens of prompt and answer", audited=True),
    "lang": FilterField("exact", "question_language", "the question's language: ko, en", audited=True),
    "is": FilterField("marked", "number", "marked: rows that you marked"),
    "finding": FilterField("finding", "kinds", "what the audit found: leak, gold-empty, any", audited=True),
}

_TERM = re.compile(r'(?P<not>-?)(?:(?P<field>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S*))')
_NUMBER = re.compile(r"(?P<compare>>=|<=|>|<|=)?(?P<value>\d+)")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `field` is empty for a plain word; `compare` (=, <, <=, >, >=) is of numbers."""

    field: str
    values: tuple[str, ...]
    negated: bool = False
    compare: str = "="


def parse_query(query: str) -> tuple[Term, ...]:
    """The terms of a filter. Raises UsageError for a field or a value that does not exist."""
    terms = []
    for match in _TERM.finditer(nfc(query)):
        if match["quoted"] is None and not match["bare"] and not match["field"]:
            if match["not"]:
                terms.append(Term("", ("-",)))
            continue
        terms.append(_term(match))
    return tuple(terms)


def needs_audit(terms: tuple[Term, ...]) -> list[str]:
    """The fields among these that only an audit can answer."""
    return [term.field for term in terms if term.field and FIELDS[term.field].audited]


def filter_help(text: str) -> str:
    """What the word that is being typed can become: the field it begins, with its help, or their names."""
    word = text.rpartition(" ")[2].lstrip("-").lower()
    name, colon, _ = word.partition(":")
    if colon:
        return FIELDS[name].help if name in FIELDS else ""
    begun = [field for field in FIELDS if word and field.startswith(word)]
    if len(begun) == 1:
        return f"{begun[0]}: {FIELDS[begun[0]].help}"
    return " ".join(f"{field}:" for field in begun or (FIELDS if not word else ()))


def needs_marks(terms: tuple[Term, ...]) -> bool:
    """Whether a term asks for rows that a person marked."""
    return any(term.field and FIELDS[term.field].kind == "marked" for term in terms)


def _term(match: re.Match[str]) -> Term:
    negated, name = bool(match["not"]), (match["field"] or "").lower()
    quoted, bare = match["quoted"], match["bare"] or ""
    if not name:
        return Term("", (bare if quoted is None else quoted,), negated)
    if name not in FIELDS:
        raise UsageError(
            f"The filter has no field {name!r}",
            f'there are {", ".join(FIELDS)}; put "{name}:…" in quotes to look for the words',
        )
    values = (quoted,) if quoted is not None else tuple(part for part in bare.split(",") if part)
    if not any(values):
        raise UsageError(f"{name}: is followed by nothing", f"say what: {FIELDS[name].help}")
    if FIELDS[name].kind == "marked" and values != ("marked",):
        raise UsageError(f"{name}:{','.join(values)} is no filter", f"there is {name}:marked")
    if FIELDS[name].kind == "number":
        return _number(name, values, negated)
    return Term(name, values, negated)


def _number(name: str, values: tuple[str, ...], negated: bool) -> Term:
    found = [_NUMBER.fullmatch(value) for value in values]
    numbers = [match for match in found if match is not None]
    if len(numbers) < len(values) or (len(values) > 1 and any(match["compare"] for match in numbers)):
        raise UsageError(
            f"{name}:{','.join(values)} is no number", f"write {name}:2, {name}:1,2 or {name}:>=2"
        )
    compare = numbers[0]["compare"] or "="
    return Term(name, tuple(match["value"] for match in numbers), negated, compare)
