"""`python -m benchmarks [NAME ...]`: run all benchmarks or those named, one line a figure."""

from __future__ import annotations

import importlib
import os
import sys

NAMES = (
    "catalogue",
    "sources",
    "first_paint",
    "grid",
    "datasets_screen",
    "diff",
    "sandbox",
    "execution",
    "judge",
    "judge_batches",
    "equivalence",
    "scored_head",
)


def main() -> int:
    os.environ.setdefault("TQDM_DISABLE", "1")  # other people's progress bars
    wanted = sys.argv[1:] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}: there is {', '.join(NAMES)}", file=sys.stderr)
        return 2
    header = f"{'what':<44} {'ours':>10} {'':<5} {'against':<38} {'theirs':>10} {'':<5} {'theirs/ours':>9}"
    print(header)
    for name in wanted:
        for figure in importlib.import_module(f"benchmarks.{name}").measure():
            print(figure, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
