"""Prompts of the user's own: Jinja files in `<workspace>/judges/`, read, checked and filled in.

The files are a person's, but what is filled in is not: the environment is sandboxed, a name that does not
exist is an error instead of nothing, and nothing is escaped, for it is no HTML. Errors name file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from t2s_tui.errors import DataError
from t2s_tui.evaluation.judge.facts import EVIDENCE, Facts, table
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

FOLDER, SUFFIX = "judges", ".j2"
VARIABLES = tuple(f.name for f in fields(Facts))
_NEXT = f"mend it; what a prompt can use: {', '.join(VARIABLES)}, and the filter `table`"


def own_paths(workspace: Workspace) -> dict[str, Path]:
    """Name -> file of every prompt in the workspace, by name."""
    folder = workspace.root / FOLDER
    found = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return {nfc(path.name.removesuffix(SUFFIX)): path for path in found}


def read_own(path: Path) -> str:
    """The text of a prompt file, in NFC, with one kind of line end. Raises DataError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"The prompt {path} cannot be read ({error})", "save it as UTF-8 text, or remove it"
        ) from error
    return nfc(text.replace("\r\n", "\n"))


def check_own(text: str, where: str) -> None:
    """Raises DataError that names `where` and the line: a syntax error, a name that does not exist, a prompt
    that never shows the generated SQL, or one that fails on an example."""
    unknown = next(((name, line) for name, line in _names(text, where) if name not in VARIABLES), None)
    if unknown is not None:
        raise DataError(f"{where}, line {unknown[1]}: there is no {unknown[0]!r}", _NEXT)
    if "generated" not in _variables(text, where):
        raise DataError(
            f"{where} never shows the SQL to be judged", "put {{ generated }} where it should stand"
        )
    render_own(text, where, Facts("CREATE TABLE t (a);", "?", "SELECT 1", "SELECT 2"))


def uses_evidence(text: str, where: str) -> bool:
    """Whether the prompt shows what ran or what was tried."""
    return not _variables(text, where).isdisjoint(EVIDENCE)


def render_own(text: str, where: str, facts: Facts) -> str:
    """The prompt filled in. Raises DataError that names `where` and the line."""
    template = _compiled(text, where)
    try:
        return str(template.render({name: getattr(facts, name) for name in VARIABLES}))
    except Exception as error:  # whatever an expression of the file comes to
        line = _line_of(error.__traceback__, where)
        place = f"{where}, line {line}" if line else where
        raise DataError(f"{place}: {error}", _NEXT) from error


def _variables(text: str, where: str) -> set[str]:
    return {name for name, _ in _names(text, where)}


@lru_cache(maxsize=64)
def _names(text: str, where: str) -> tuple[tuple[str, int], ...]:
    """(name, line) of what the prompt takes from outside, in the order of the file."""
    from jinja2 import meta, nodes

    tree = _parsed(text, where)
    with _words(where):
        outside = meta.find_undeclared_variables(tree) - set(_environment().globals)
    found = {(n.name, n.lineno) for n in tree.find_all(nodes.Name) if n.name in outside and n.ctx == "load"}
    return tuple(sorted(found, key=lambda pair: pair[1]))


def _parsed(text: str, where: str) -> Any:
    with _words(where):
        return _environment().parse(text)


@lru_cache(maxsize=16)
def _compiled(text: str, where: str) -> Template:
    from jinja2 import Template

    environment = _environment()
    with _words(where):
        code = environment.compile(text, where, where)
    return Template.from_code(environment, code, environment.make_globals(None))


@contextmanager
def _words(where: str) -> Iterator[None]:
    """A syntax error, or a filter that does not exist, becomes a DataError with file and line."""
    from jinja2 import TemplateSyntaxError

    try:
        yield
    except TemplateSyntaxError as error:
        raise DataError(f"{where}, line {error.lineno}: {error.message}", _NEXT) from error


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    made = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["table"] = table
    return made


def _line_of(trace: TracebackType | None, where: str) -> int | None:
    """The line of the file in which it went wrong: Jinja puts it into the traceback."""
    lines = [step.tb_lineno for step in _steps(trace) if step.tb_frame.f_code.co_filename == where]
    return lines[-1] if lines else None


def _steps(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
