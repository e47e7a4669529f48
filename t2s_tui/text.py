"""Text as terminals see it: NFC, cells, short numbers and times. Pure functions."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def nfc(text: str) -> str:
    """The text in NFC: Hangul in NFD is measured differently by Rich and by tmux."""
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """Whitespace runs become single spaces, control characters become visible dots."""
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else "·" for c in flat)


def clip(text: str, cells: int) -> str:
    """At most `cells` terminal cells, with an ellipsis where something was cut."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"


def duration(seconds: float) -> str:
    """`42s`, `6m`, `1h 05m`, `2d 3h`."""
    s = max(0, round(seconds))
    if s < _MINUTE:
        return f"{s}s"
    if s < _HOUR:
        return f"{s // _MINUTE}m {s % _MINUTE:02d}s" if s < 10 * _MINUTE else f"{s // _MINUTE}m"
    if s < _DAY:
        return f"{s // _HOUR}h {s % _HOUR // _MINUTE:02d}m"
    return f"{s // _DAY}d {s % _DAY // _HOUR}h"


def ago(then: float, now: float) -> str:
    """`just now`, `3m ago`: relative under a day, the date after that."""
    passed = now - then
    if passed < 5:
        return "just now"
    if passed < _DAY:
        return f"{duration(passed).split(' ')[0]} ago"
    from datetime import datetime

    return datetime.fromtimestamp(then).strftime("%Y-%m-%d")


def size(count: float) -> str:
    """Bytes for a person: `512 B`, `1.2 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
