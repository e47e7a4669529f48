"""The command line: bare `t2s-tui` opens the workbench, the rest are headless commands.

Exit 0: done. 1: the work failed or a check did not hold. 2: the call was wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from t2s_tui import __version__


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    from t2s_tui.commands import (
        datasets,
        demo,
        doctor,
        evaluate,
        export,
        generate,
        jobs,
        judge,
        models,
        review,
        train,
    )

    parser = argparse.ArgumentParser(
        prog="t2s-tui",
        description="Fine-tune small language models for Text-to-SQL, and see why they are wrong.",
        epilog="Without a command the workbench opens.",
    )
    parser.add_argument("--version", action="version", version=f"t2s-tui {__version__}")
    parser.add_argument("--workspace", metavar="DIR", dest="bench_workspace", help="the workspace to open")
    parser.add_argument("--ascii", action="store_true", help="signs in plain ASCII")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    demo.add_parser(commands, open_workbench)
    for module in (datasets, train, generate, evaluate, judge, review, jobs, models, export, doctor):
        module.add_parser(commands)
    return parser


def open_workbench(workspace: str | os.PathLike[str] | None, *, ascii_only: bool = False) -> int:
    """Open the workbench on this terminal. Jobs go on when it closes."""
    from t2s_tui.errors import UsageError
    from t2s_tui.workspace import Workspace

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The workbench needs a terminal", "run it in one, or use a command: t2s-tui --help")
    opened = Workspace.open(os.fspath(workspace) if workspace is not None else None)
    from t2s_tui.app import T2SApp

    T2SApp(opened, ascii_only=ascii_only or bool(os.environ.get("T2S_TUI_ASCII"))).run()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Errors are one sentence on stderr."""
    from t2s_tui.errors import T2SError

    parser = build_parser()
    args = parser.parse_args(argv)
    if hasattr(args, "workspace") and args.workspace is None:
        args.workspace = args.bench_workspace
    try:
        if args.command is None:
            return open_workbench(args.bench_workspace, ascii_only=args.ascii)
        return int(args.run(args))
    except T2SError as error:
        sys.stderr.write(f"t2s-tui: {error}\n")
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output left (`| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
