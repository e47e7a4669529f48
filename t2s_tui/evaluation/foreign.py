"""Functions and syntax of other engines: a verdict on a query that needs one would be about the engine."""

from __future__ import annotations

import re

from t2s_tui.errors import DataError
from t2s_tui.evaluation.engines import MISSING_FUNCTION, Engine

#: Functions of other engines that SQLite has not.
_ELSEWHERE = frozenset(
    """REGEXP REGEXP_LIKE REGEXP_REPLACE REGEXP_SUBSTR CONCAT_WS LPAD RPAD STR_TO_DATE DATE_FORMAT LAST_DAY
    SUBSTRING_INDEX FIND_IN_SET TIMESTAMPDIFF DATE_SUB DATE_ADD DAYNAME MONTHNAME MAKEDATE FIELD ELT REPEAT
    REVERSE TO_CHAR TO_DATE DATE_TRUNC DATE_PART EXTRACT AGE STDDEV STDDEV_POP STDDEV_SAMP VARIANCE VAR_POP
    VAR_SAMP STRING_AGG ARRAY_AGG JSON_AGG GENERATE_SERIES SPLIT_PART INITCAP MEDIAN PERCENTILE_CONT BIT_AND
    BIT_OR BIT_XOR CRC32 MD5 SHA1 SHA2 WEEK YEARWEEK DAYOFYEAR TIME_TO_SEC SEC_TO_TIME FROM_UNIXTIME
    CONVERT_TZ FORMAT ANY_VALUE GREATEST LEAST SOUNDEX TRUNCATE LOCATE""".split()  # noqa: SIM905
)


def foreign_function(error: DataError, dialect: str) -> str | None:
    """What the engine lacked of another one's, when that is why the query failed; None for its own fault.

    What parses in its own dialect and not after the translation was not translated: no fault of the query.
    """
    if dialect == "sqlite":
        return None
    found = MISSING_FUNCTION.search(error.cause)
    if found is None:
        return "a syntax" if re.search(r"syntax error|Parser Error", error.cause) else None
    name = next(group for group in found.groups() if group).upper()
    return name if name in _ELSEWHERE else None


def short_name(engine: Engine) -> str:
    """The engine in a word for people."""
    return "SQLite" if engine == "sqlite" else "DuckDB"
