"""Prompt templates: files of text with {ddl}, {question} and, last of all, {query}.

A file whose first line is `[system]` or `[user]` is a chat template: its parts begin with `[system]`,
`[user]` and `[assistant]`, each alone on a line, and the assistant's part is {query}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from t2s_tui.errors import DataError, NotFound
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace

#: `book` is the reference template (issue 2), byte for byte; `book-en` its twin; `chat` for chat models.
DEFAULT_TEMPLATE = "book"
BUILT_IN = ("book", "book-en", "chat")

_FOLDER = Path(__file__).resolve().parent
_SLOT = re.compile(r"\{(ddl|question|query)\}")
_ROLE = re.compile(r"^\[(system|user|assistant)\]\n", re.MULTILINE)
_HANGUL = re.compile("[\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A template as read. `language` is `ko` when its text has Hangul, else `en`."""

    name: str
    kind: Literal["text", "chat"]
    language: str
    text: str


def load_template(name: str, workspace: Workspace | None = None) -> PromptTemplate:
    """The template of that name; a user's own file hides a built-in one.

    Raises NotFound, naming those there are, and DataError when the file is no template.
    """
    paths = _paths(workspace)
    name = nfc(name)
    if name not in paths:
        where = f", or put {name}.txt into {workspace.prompts_dir}" if workspace else ""
        raise NotFound(f"There is no prompt {name!r}", f"use one of {', '.join(paths)}{where}")
    return _read(name, paths[name])


def list_templates(workspace: Workspace | None = None) -> list[PromptTemplate]:
    """Built-in ones first, then the user's by name. Raises DataError when a file is no template."""
    return [_read(name, path) for name, path in _paths(workspace).items()]


def render_text(template: PromptTemplate, ddl: str, question: str, query: str = "") -> str:
    """The template with its slots filled; without `query` it ends where the answer begins.

    What is filled in is never looked at for slots. A chat template gives its parts one after the other,
    as a preview: a model sees it through its own chat template.
    """
    if template.kind == "chat":
        parts = [message["content"] for message in render_messages(template, ddl, question)]
        return "\n\n".join([*parts, query])
    return _filled(template.text, ddl, question, query)


def render_messages(template: PromptTemplate, ddl: str, question: str) -> list[dict[str, str]]:
    """The messages that ask for the answer, for endpoints and chat models: `role` and `content`.

    A text template is one message of the user.
    """
    if template.kind == "text":
        return [{"role": "user", "content": _filled(template.text, ddl, question, "")}]
    return [
        {"role": role, "content": _filled(text, ddl, question, "")}
        for role, text in _parts(template.text)
        if role != "assistant"
    ]


def _filled(text: str, ddl: str, question: str, query: str) -> str:
    values = {"ddl": ddl, "question": question, "query": query}
    return _SLOT.sub(lambda slot: values[slot.group(1)], text)


def _paths(workspace: Workspace | None) -> dict[str, Path]:
    paths = {name: _FOLDER / f"{name}.txt" for name in BUILT_IN}
    if workspace is not None and workspace.prompts_dir.is_dir():
        for path in sorted(workspace.prompts_dir.glob("*.txt")):
            paths[nfc(path.stem)] = path
    return paths


def _read(name: str, path: Path) -> PromptTemplate:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"The prompt {path} cannot be read ({error})", "save it as UTF-8 text, or remove it"
        ) from error
    # Editors end a file with a newline, and the answer must follow {query} at once.
    text = nfc(text.replace("\r\n", "\n")).rstrip("\n")
    kind: Literal["text", "chat"] = "chat" if text.startswith(("[system]\n", "[user]\n")) else "text"
    wrong = _what_is_wrong(text, kind)
    if wrong:
        raise DataError(
            f"The prompt {path} {wrong}", "write it like `book`: {ddl}, {question}, and {query} at the end"
        )
    return PromptTemplate(name, kind, "ko" if _HANGUL.search(text) else "en", text)


def _what_is_wrong(text: str, kind: str) -> str | None:
    slots = _SLOT.findall(text)
    for slot in ("ddl", "question", "query"):
        if slots.count(slot) != 1:
            return (
                f"has {{{slot}}} {slots.count(slot) or 'no'} times"
                if slots.count(slot)
                else f"has no {{{slot}}}"
            )
    if not text.endswith("{query}"):
        return "goes on after {query}"
    if kind == "chat":
        parts = list(_parts(text))
        if parts[-1] != ("assistant", "{query}") or "user" not in [role for role, _ in parts]:
            return "is a chat that does not end in [assistant] with {query} alone"
    return None


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """(role, content) of each part of a chat template."""
    pieces = _ROLE.split(text)[1:]
    for role, content in zip(pieces[::2], pieces[1::2], strict=True):
        yield role, content.strip("\n")
