"""Which language a text is in, told by its script: no model, no word lists, the same everywhere."""

from __future__ import annotations

import re

_SCRIPTS = re.compile(
    r"(?P<ko>[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]+)|(?P<ja>[\u3040-\u30ff]+)|(?P<zh>[\u4e00-\u9fff]+)"
    r"|(?P<ru>[\u0400-\u04ff]+)|(?P<en>[A-Za-z\u00c0-\u024f]+)"
)
#: How much of the letters a script needs. A Korean question names columns in Latin letters.
_ENOUGH = (("ko", 0.2), ("ja", 0.1), ("zh", 0.2), ("ru", 0.2))


def language(text: str) -> str:
    """`ko`, `ja`, `zh`, `ru` (Cyrillic), `en` (Latin letters), or nothing for a text without letters."""
    if text.isascii():
        return "en" if any(c.isalpha() for c in text) else ""
    letters = dict.fromkeys(("ko", "ja", "zh", "ru", "en"), 0)
    for match in _SCRIPTS.finditer(text):
        letters[str(match.lastgroup)] += len(match.group())
    total = sum(letters.values())
    if not total:
        return ""
    return next((name for name, share in _ENOUGH if letters[name] >= share * total), "en")
