"""`python -m t2s_tui.training.plan_command WORKSPACE < request.json`: the plan as one JSON line.

Counting tokens needs a tokenizer and so transformers, which the process that draws never imports: it asks
this one. Prints the plan, or {"error": ..., "next_step": ...} and exit code 1.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Read the request from stdin, print the plan."""
    from t2s_tui.errors import T2SError
    from t2s_tui.training.plan import estimate
    from t2s_tui.training.request import TrainRequest
    from t2s_tui.workspace import Workspace

    try:
        request = TrainRequest.model_validate_json(sys.stdin.read())
        plan: Any = estimate(Workspace(Path(arguments[0])), request)
    except T2SError as error:
        print(json.dumps({"error": error.cause, "next_step": error.next_step}, ensure_ascii=False))
        return 1
    values = asdict(plan) if is_dataclass(plan) and not isinstance(plan, type) else dict(plan)
    print(json.dumps(values, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
