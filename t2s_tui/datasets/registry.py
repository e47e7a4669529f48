"""The source formats, in the order in which they are asked whether they know a source."""

from __future__ import annotations

from t2s_tui.datasets.formats.aihub import AiHubFormat
from t2s_tui.datasets.formats.bird import BirdFormat
from t2s_tui.datasets.formats.defog import DefogFormat
from t2s_tui.datasets.formats.hub import HubFormat
from t2s_tui.datasets.formats.sample import SampleFormat
from t2s_tui.datasets.formats.spider import SpiderFormat
from t2s_tui.datasets.formats.table import TableFormat
from t2s_tui.datasets.formats.wikisql import WikiSqlFormat
from t2s_tui.datasets.source import SourceFormat
from t2s_tui.errors import DataError, UsageError

#: The layouts of known datasets first. A path that exists is a table even where it could be a Hub id as well.
FORMATS: dict[str, SourceFormat] = {
    known.name: known
    for known in (
        SampleFormat(),
        SpiderFormat(),
        BirdFormat(),
        WikiSqlFormat(),
        AiHubFormat(),
        DefogFormat(),
        TableFormat(),
        HubFormat(),
    )
}


def format_of(source: str, format: str | None = None) -> SourceFormat:
    """The format called `format`, else the first that recognises `source`.

    Raises UsageError for an unknown format, DataError for a source that no format knows.
    """
    if format is not None:
        if format not in FORMATS:
            raise UsageError(f"There is no source format {format!r}", f"use one of {', '.join(FORMATS)}")
        return FORMATS[format]
    for known in FORMATS.values():
        if known.recognises(source):
            return known
    raise DataError(
        f"There is no file, folder, sample data or Hub dataset {source!r}",
        "give a path, `sample`, `sample-ko` or a Hub id such as owner/name",
    )
