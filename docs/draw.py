"""Let the workbench draw itself for the docs: `python docs/draw.py WORKSPACE`, where a demo has ended."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from t2s_tui.app import T2SApp
from t2s_tui.workspace import Workspace

PICTURES = Path(__file__).parent / "pictures"
SIZE = (140, 40)

#: What only looks right: the demo's evidence worth seeing, wherever its model puts it.
FOUND = tuple({" ": "space", ":": "colon"}.get(key, key) for key in "exec:pass equiv:fail")

#: Picture -> the keys that lead there from Home.
ROUTES: dict[str, tuple[str, ...]] = {
    "home": (),
    "datasets": ("2", "enter", *("j",) * 13),  # a join of four tables
    "train": ("3",),
    "inspect": ("5", "enter", "/", *FOUND, "enter"),
    "compare": ("6",),
    "jobs": ("7",),
}


async def draw(workspace: Workspace, name: str, keys: tuple[str, ...]) -> None:
    """Press the keys, wait until the screen has settled, save what is drawn."""
    app = T2SApp(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(2.0)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(1.0)
        await pilot.pause(2.0)
        (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="t2s-tui"), encoding="utf-8")


def main() -> int:
    workspace = Workspace.open(sys.argv[1])
    PICTURES.mkdir(exist_ok=True)
    for name in sys.argv[2:] or ROUTES:
        asyncio.run(draw(workspace, name, ROUTES[name]))
        print(PICTURES / f"{name}.svg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
