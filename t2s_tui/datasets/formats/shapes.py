"""Shapes that rows of tables come in besides ours: each is known by its columns and turned into our columns.

sql-create-context without db_id, gretel's synthetic set, prompts completed by their SQL in a `text` column
(autotrain), chat `messages`, and Spider's questions as a plain table.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from t2s_tui.datasets.source import REQUIRED, mapped

_HEADINGS = re.compile(
    r"###\s*DDL\s*:?\s*\n(?P<ddl>.*?)\n+###\s*Question\s*:?\s*\n(?P<question>.*?)\s*"
    r"(?:\n+###\s*SQL\s*:?[^\S\n]*(?:\n(?P<sql>.*))?)?$",
    re.DOTALL | re.IGNORECASE,
)
_CREATE = re.compile(r"(CREATE\s+(?:TABLE|VIEW)\b.*)", re.DOTALL | re.IGNORECASE)
_ENDS = re.compile(r"(?:<\|[a-z_]+\|>|</s>|<eos>)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: its name, the columns that it is known by, and how a row becomes one of ours."""

    name: str
    columns: tuple[str, ...]
    convert: Callable[[Mapping[str, Any]], dict[str, Any]]


def shape_of(columns: Iterable[str], column_map: Mapping[str, str]) -> Shape | None:
    """The shape that has these columns, None when they are ours, or are mapped by hand, or are unknown."""
    there = set(columns)
    if column_map or set(REQUIRED) <= there:
        return None
    return next((shape for shape in SHAPES if set(shape.columns) <= there), None)


def in_shape(values: Mapping[str, Any], shape: Shape | None, column_map: Mapping[str, str]) -> dict[str, Any]:
    """A row under our column names."""
    if shape is not None:
        return shape.convert(values)
    found = mapped(values, column_map)
    if "db_id" not in found and found.get("context"):
        found["db_id"] = id_of_ddl(found["context"])
    return found


def _create_context(values: Mapping[str, Any]) -> dict[str, Any]:
    found = mapped(values, {})
    return found | {"db_id": id_of_ddl(values.get("context"))}


def _gretel(values: Mapping[str, Any]) -> dict[str, Any]:
    ddl = values.get("sql_context")
    kept = ("domain", "sql_task_type", "sql_explanation")
    return {
        "db_id": id_of_ddl(ddl),
        "context": ddl,
        "question": values.get("sql_prompt"),
        "answer": values.get("sql"),
        "hardness": values.get("sql_complexity"),
        "extra": {key: values[key] for key in kept if isinstance(values.get(key), str)},
    }


def _completed(values: Mapping[str, Any]) -> dict[str, Any]:
    text = values.get("text")
    match = _HEADINGS.search(text) if isinstance(text, str) else None
    if match is None:
        return {"db_id": values.get("db_id"), "context": None, "question": None, "answer": None}
    return {
        "db_id": values.get("db_id") or id_of_ddl(match["ddl"]),
        "context": match["ddl"],
        "question": match["question"].strip(),
        "answer": _ENDS.sub("", match["sql"] or "").strip(),
        **{key: values[key] for key in ("split", "dialect", "database") if key in values},
    }


def _messages(values: Mapping[str, Any]) -> dict[str, Any]:
    said = values.get("messages")
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except ValueError:
            said = []
    turns = [t for t in said if isinstance(t, Mapping)] if isinstance(said, list) else []
    asked = "\n\n".join(str(t.get("content") or "") for t in turns if t.get("role") == "user")
    system = "\n".join(str(t.get("content") or "") for t in turns if t.get("role") == "system")
    answer = next(
        (str(t.get("content") or "") for t in reversed(turns) if t.get("role") == "assistant"), None
    )
    ddl, question = _ddl_and_question(asked, system)
    return {
        "db_id": values.get("db_id") or (id_of_ddl(ddl) if ddl else None),
        "context": ddl,
        "question": question,
        "answer": answer,
        **{key: values[key] for key in ("split", "dialect", "database") if key in values},
    }


def _ddl_and_question(asked: str, system: str) -> tuple[str | None, str | None]:
    """By headings; else the DDL is what begins with CREATE, up to the last `;`, and the question the rest."""
    if match := _HEADINGS.search(asked):
        return match["ddl"], match["question"].strip()
    if (match := _CREATE.search(asked)) and ";" in match[1]:
        end = match.start() + match[1].rindex(";") + 1
        rest = f"{asked[: match.start()].strip()}\n{asked[end:].strip()}".strip()
        return asked[match.start() : end], rest or None
    if match := _CREATE.search(system):
        return match[1].strip(), asked.strip() or None
    return None, asked.strip() or None


def _spider_table(values: Mapping[str, Any]) -> dict[str, Any]:
    """Spider's columns without its files: the DDL comes from the database of `--databases`."""
    from t2s_tui.datasets.formats.spider import spider_hardness

    gold, korean = values.get("query"), values.get("question_ko")
    english = values.get("question_en") or (values.get("question") if korean else None)
    return {
        "db_id": values.get("db_id"),
        "question": korean or values.get("question"),
        "answer": gold,
        "dialect": "sqlite",
        "hardness": spider_hardness(gold) if isinstance(gold, str) else "",
        "extra": {"question_en": english} if isinstance(english, str) else {},
    }


def id_of_ddl(ddl: Any) -> str:
    """A db_id for sources that have none: rows of one schema share it, so that splits can hold it out."""
    return "ddl-" + hashlib.sha256(" ".join(str(ddl or "").split()).encode()).hexdigest()[:10]


SHAPES = (
    Shape("gretel", ("sql_prompt", "sql_context", "sql"), _gretel),
    Shape("sql-create-context", ("context", "question", "answer"), _create_context),
    Shape("spider", ("db_id", "question", "query"), _spider_table),
    Shape("messages", ("messages",), _messages),
    Shape("text", ("text",), _completed),
)
