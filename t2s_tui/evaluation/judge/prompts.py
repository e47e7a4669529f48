"""What the judge is asked: the presets, and the user's own. `reference` is byte for byte that of issue 2.

The others ask for the reasons before the word: a model that writes them first judges better than one that
explains itself afterwards (Wei et al. 2022, chain-of-thought prompting). `evidence` and `evidence-ko` are
Jinja files beside this one, written like a user's own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.errors import DataError, NotFound, UsageError, WorkspaceError
from t2s_tui.evaluation.judge.facts import Facts
from t2s_tui.evaluation.judge.own_prompts import (
    FOLDER,
    SUFFIX,
    check_own,
    own_paths,
    read_own,
    render_own,
    uses_evidence,
)
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace, check_name

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

_PLACE = re.compile(r"\{(ddl|question|gold|generated)\}")


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """A prompt by its name and text. `jinja`: a Jinja file, where the others have four plain places."""

    name: str
    text: str
    jinja: bool = False

    @property
    def version(self) -> str:
        """The name with a hash of the text: a changed prompt is another judge."""
        return f"{self.name}@{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    @property
    def file(self) -> str:
        """How an error names it."""
        return f"{FOLDER}/{self.name}{SUFFIX}"

    @property
    def needs_evidence(self) -> bool:
        """Whether it shows what ran and what was tried."""
        return self.jinja and uses_evidence(self.text, self.file)

    @property
    def asks_word(self) -> bool:
        """Whether it asks for the word in the form that is read first."""
        return "resolve_yn" in self.text

    def render(self, facts: Facts) -> str:
        """The prompt about these facts, whose braces stay as they are. Raises DataError with the line."""
        if self.jinja:
            return render_own(self.text, self.file, facts)
        return _PLACE.sub(lambda place: str(getattr(facts, place.group(1))), self.text)


def _jinja(name: str) -> JudgePrompt:
    return JudgePrompt(name, read_own(Path(__file__).with_name(f"{name}{SUFFIX}")), jinja=True)


PROMPTS: dict[str, JudgePrompt] = {
    "reference": JudgePrompt("reference", REFERENCE),
    "reference-ko": JudgePrompt("reference-ko", _KOREAN),
    "rubric": JudgePrompt("rubric", _RUBRIC),
    "rubric-ko": JudgePrompt("rubric-ko", _RUBRIC_KOREAN),
    "evidence": _jinja("evidence"),
    "evidence-ko": _jinja("evidence-ko"),
}


def prompt_of(settings: JudgeSettings) -> JudgePrompt:
    """The prompt that the settings hold or name. Raises UsageError for a name that is no preset's.

    The text of a user's own is in the settings since they were completed by `with_prompt`.
    """
    if settings.prompt_text is not None:
        return JudgePrompt(settings.prompt, settings.prompt_text, jinja=True)
    if settings.prompt not in PROMPTS:
        raise UsageError(f"There is no prompt {settings.prompt!r}", f"use one of {', '.join(PROMPTS)}")
    return PROMPTS[settings.prompt]


def with_prompt(settings: JudgeSettings, workspace: Workspace) -> JudgeSettings:
    """The settings with the text of a user's own prompt as it is now: what is asked, also by a later resume.

    Raises NotFound for a prompt that does not exist, DataError for one that cannot be used.
    """
    if settings.prompt_text is not None or settings.prompt in PROMPTS:
        return settings
    found = find_prompt(settings.prompt, workspace)
    return settings.model_copy(update={"prompt": found.name, "prompt_text": found.text})


def find_prompt(name: str, workspace: Workspace) -> JudgePrompt:
    """The preset or the user's own prompt of that name. Raises NotFound, or DataError with the line."""
    name = nfc(name)
    if name in PROMPTS:
        return PROMPTS[name]
    paths = own_paths(workspace)
    if name not in paths:
        file = workspace.root / FOLDER / f"{name}{SUFFIX}"
        raise NotFound(
            f"There is no prompt {name!r} for a judge",
            f"use one of {', '.join(prompt_names(workspace))}, or write {file}",
        )
    made = JudgePrompt(name, read_own(paths[name]), jinja=True)
    check_own(made.text, made.file)
    return made


def prompt_names(workspace: Workspace) -> list[str]:
    """The presets, then the user's own by name; a file with a preset's name is not used."""
    return [*PROMPTS, *(name for name in own_paths(workspace) if name not in PROMPTS)]


def own_trouble(workspace: Workspace) -> dict[str, str]:
    """Name -> what is wrong with a user's own prompt, of those with which something is."""
    found: dict[str, str] = {}
    for name in own_paths(workspace):
        try:
            if name in PROMPTS:
                found[name] = "a preset has this name: rename the file"
            else:
                find_prompt(name, workspace)
        except DataError as error:
            found[name] = error.cause
    return found


def copy_preset(preset: str, name: str, workspace: Workspace) -> Path:
    """Write a preset as a file of the user's own, to change. Returns its path.

    Raises UsageError for a preset or a name that cannot be, WorkspaceError when it cannot be written.
    """
    if preset not in PROMPTS:
        raise UsageError(f"There is no preset {preset!r}", f"use one of {', '.join(PROMPTS)}")
    name = check_name(name or f"{preset}-mine", "prompt")
    path = workspace.root / FOLDER / f"{name}{SUFFIX}"
    if name in PROMPTS or path.exists():
        raise UsageError(f"The prompt {name!r} is there already", "give the copy another name with --to")
    text = PROMPTS[preset].text
    if not PROMPTS[preset].jinja:
        text = _PLACE.sub(r"{{ \1 }}", text) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(f"{path} could not be written ({error.strerror or error})") from error
    return path
