"""The process that judges pairs: `python -P -m t2s_tui.evaluation.equivalence.worker`.

One JSON object a line in, one a line out. The generated SQL runs here and nowhere else; the parent kills this
process when a pair takes too long, and starts another.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from t2s_tui.evaluation.equivalence.verdict import judge_pair
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome

MEMORY_BYTES = 3 << 30  # DuckDB maps more than it uses


def main() -> None:
    """Answer pairs until stdin ends."""
    _confine()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        judged = _judge(request)
        answer = {"outcome": str(judged.outcome), "why": judged.why, "evidence": dict(judged.evidence)}
        sys.stdout.buffer.write(json.dumps(answer, default=str).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()


def _judge(request: dict[str, Any]) -> Judged:
    try:
        return judge_pair(pair_from(request["pair"]), request["seed"], request["databases"])
    except MemoryError:
        return Judged(Outcome.UNKNOWN, "the databases do not fit into memory")
    except RecursionError:
        return Judged(Outcome.UNKNOWN, "a query is nested too deeply")
    except Exception as error:  # one pair must not end the others
        import traceback

        traceback.print_exc()
        return Judged(
            Outcome.UNKNOWN, f"the engine failed on this pair ({type(error).__name__}: {error})"[:300]
        )


def pair_to(pair: Pair) -> dict[str, Any]:
    """The pair as JSON."""
    return {
        "gold": pair.gold,
        "generated": pair.generated,
        "dialect": pair.dialect,
        "ddl": pair.ddl,
        "database": str(pair.database) if pair.database else None,
        "ordered": pair.ordered,
        "accepted": list(pair.accepted),
    }


def pair_from(values: dict[str, Any]) -> Pair:
    """The pair of `pair_to`."""
    return Pair(
        gold=values["gold"],
        generated=values["generated"],
        dialect=values["dialect"],
        ddl=values["ddl"],
        database=Path(values["database"]) if values["database"] else None,
        ordered=values["ordered"],
        accepted=tuple(values["accepted"]),
    )


def _confine() -> None:
    """No core dumps, no files, bounded memory; Ctrl+C is the parent's business."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource
    except ImportError:
        return
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for name, limit in (("RLIMIT_AS", MEMORY_BYTES), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        try:
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(which, (wanted, wanted))
        except (AttributeError, ValueError, OSError):
            continue


if __name__ == "__main__":
    main()
