"""SQL as people read it: highlighted, wrapped by cells, never taken as markup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from rich.style import Style
from rich.text import Text

from t2s_tui.sql.highlight import tokens
from widgets.reader import Reader
from widgets.section import visible

#: Named ANSI colours: they read on the dark and on the light theme. Keywords are bold as well,
#: so that nothing is told by colour alone.
STYLES: Mapping[str, Style] = {
    "keyword": Style(color="blue", bold=True),
    "name": Style(),
    "string": Style(color="green"),
    "number": Style(color="magenta"),
    "operator": Style(color="cyan"),
    "comment": Style(dim=True, italic=True),
    "plain": Style(),
}


_PUNCTUATION = frozenset(".,;()")


@lru_cache(maxsize=256)
def _pieces(sql: str) -> tuple[tuple[str, Style], ...]:
    """Texts with their styles. Every change of style costs 40 bytes on the line: blanks take that of the word
    before them, and punctuation has none of its own."""
    found: list[tuple[str, Style]] = []
    for text, kind in tokens(sql):
        style = STYLES["plain"] if text in _PUNCTUATION else STYLES.get(kind, STYLES["plain"])
        if found and (found[-1][1] == style or text.isspace()):
            found[-1] = (found[-1][0] + text, found[-1][1])
        else:
            found.append((text, style))
    return tuple(found)


def sql_text(sql: str) -> Text:
    """The SQL highlighted. It need not parse: what is half written is shown half highlighted."""
    return Text.assemble(*_pieces(visible(sql).rstrip()), end="")


class SqlView(Reader):
    """A scrollable view of one statement or one DDL."""

    def __init__(self, sql: str = "", *, id: str | None = None, classes: str = "") -> None:
        super().__init__(sql_text(sql), id=id, classes=classes)
        self._sql = sql

    @property
    def sql(self) -> str:
        """The SQL that is shown."""
        return self._sql

    def show(self, sql: str) -> None:
        """Show `sql` from its top."""
        self._sql = sql
        self.show_text(sql_text(sql))
