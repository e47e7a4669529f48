"""`t2s-tui doctor`: what this machine can do, and what to do about the rest."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, table


def add_parser(commands: Any) -> None:
    """Add `doctor`."""
    common(commands.add_parser("doctor", help="check this machine"), _doctor)


def _doctor(args: argparse.Namespace) -> int:
    from t2s_tui.jobs.proof import outlives_terminal
    from t2s_tui.system.doctor import checks

    workspace = opened(args)
    found = [*checks(workspace), outlives_terminal(workspace)]
    if args.json:
        for check in found:
            emit(asdict(check))
    else:
        signs = {True: "✓", False: "✗", None: "?"}
        rows = [(signs[c.ok], c.name, c.found, "" if c.ok else c.advice) for c in found]
        table(("", "check", "found", "what to do"), rows)
    return 1 if any(c.ok is False for c in found) else 0
