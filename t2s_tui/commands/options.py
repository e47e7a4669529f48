"""Options and names that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from t2s_tui.errors import UsageError
from t2s_tui.workspace import Workspace

Model = TypeVar("Model", bound=BaseModel)

Command = Callable[[argparse.Namespace], int]


def common(
    parser: argparse.ArgumentParser, run: Command, *, workspace: bool = True
) -> argparse.ArgumentParser:
    """`--workspace`, `--json`, and the function that runs the command."""
    if workspace:
        parser.add_argument(
            "--workspace",
            metavar="DIR",
            help="the workspace (default: $T2S_TUI_HOME, else ~/.local/share/t2s-tui)",
        )
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
    parser.set_defaults(run=run)
    return parser


def waiting(parser: argparse.ArgumentParser) -> None:
    """`--wait`: stay until the job has ended. Without it the job goes on by itself."""
    parser.add_argument(
        "--wait", action="store_true", help="stay and show progress; ctrl+c leaves, the job goes on"
    )


def opened(args: argparse.Namespace) -> Workspace:
    """The workspace the call names."""
    return Workspace.open(args.workspace)


def free_name(base: str, taken: Iterable[str]) -> str:
    """`base`, or `base-2`, `base-3` ... : the first that is not taken."""
    used = set(taken)
    if base not in used:
        return base
    number = 2
    while f"{base}-{number}" in used:
        number += 1
    return f"{base}-{number}"


def checked(kind: type[Model], /, **values: Any) -> Model:
    """The request with these values; a wrong one is a UsageError that names its option."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        field = "-".join(str(part) for part in first["loc"]).replace("_", "-")
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise UsageError(f"{field or 'The call'} is wrong ({reason})", "see --help") from error
