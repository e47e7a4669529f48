"""The licence that a folder of data states: its LICENSE file, or the `license:` of its dataset card."""

from __future__ import annotations

import re
from pathlib import Path

from t2s_tui.text import nfc

_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "COPYING")
_CARD = re.compile(r"\A---\n(?P<head>.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^licen[sc]e:[ \t]*(?P<said>\S.*?)[ \t]*$", re.MULTILINE)
_MOST = 40_000  # characters: the longest licence in use has 35,000


def license_of(folder: Path) -> str:
    """The text, empty where the folder states none. A file's own folder is not asked: it may be anyone's."""
    if not folder.is_dir():
        return ""
    for name in _FILES:
        if text := _read(folder / name):
            return text
    card = _CARD.match(_read(folder / "README.md"))
    said = _LINE.search(card["head"]) if card else None
    return said["said"].strip("'\"") if said else ""


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return nfc(file.read(_MOST).replace("\r\n", "\n").strip())
    except OSError:
        return ""
