"""What the rules know besides the tree: the dialect, what the DDL declares, and what may be assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from t2s_tui.sql.dialects import SqlSyntaxError
from t2s_tui.sql.schema import Column, Table, schema_mapping, tables_in

Schema = dict[str, dict[str, str]]

#: What the realistic level takes for granted and no engine enforces, with the words for a person.
ASSUMPTIONS: Mapping[str, str] = {
    "keys": "primary keys are never NULL",
    "references": "foreign keys hold: what they name is there",
    "targets": "what a foreign key names is unique",
    "alike": "columns that are joined write equal values alike",
    "types": "columns hold values of their declared types",
}

_TEXT_COMPARES_BYTES = ("sqlite", "duckdb", "postgres")
_WHOLE = ("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "UBIGINT", "HUGEINT", "SERIAL")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A foreign key in lower case; `target` are columns of `table`."""

    own: tuple[str, ...]
    table: str
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the DDL says about one table, all names in lower case. `targets` are the columns that foreign keys
    name; `counted` is SQLite's INTEGER PRIMARY KEY, the one column that holds whole numbers and no else."""

    columns: tuple[str, ...]
    kinds: Mapping[str, str]
    not_null: frozenset[str]
    primary: frozenset[str]
    keys: tuple[frozenset[str], ...]
    foreign: tuple[Foreign, ...]
    targets: tuple[frozenset[str], ...] = ()
    counted: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """The dialect, the schema, facts by table in lower case, and the names of ASSUMPTIONS that may be made.

    `order` is the order of tables that joins keep to; tables that it does not name follow by name.
    """

    dialect: str
    schema: Schema | None = None
    facts: Mapping[str, TableFacts] = field(default_factory=dict)
    collated: bool = False
    assumed: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()

    def never_null(self, table: str, column: str) -> bool:
        """Whether no row of the table has NULL there: declared, or a primary key where it may be assumed."""
        facts = self.facts.get(table)
        return facts is not None and (
            column in facts.not_null or ("keys" in self.assumed and column in facts.primary)
        )

    def keys_of(self, table: str) -> tuple[frozenset[str], ...]:
        """Sets of columns of which no two rows agree where none of them is NULL."""
        facts = self.facts.get(table)
        if facts is None:
            return ()
        return facts.keys + (facts.targets if "targets" in self.assumed else ())

    def kind(self, table: str, column: str) -> str:
        """Of what sort the values are, in words of `_kind`; empty where that is not known."""
        facts = self.facts.get(table)
        return facts.kinds.get(column, "") if facts is not None else ""

    def same_when_equal(self, a: tuple[str, str], b: tuple[str, str], *, joined: bool = True) -> bool:
        """Whether values of two columns (table, column) that compare equal are the same to look at.

        Of columns that are `joined` this may be assumed.
        """
        if joined and "alike" in self.assumed:
            return True
        kinds = {self.kind(*a), self.kind(*b)}
        if self.collated and "text" in kinds:
            return False
        return len(kinds) == 1 and bool(kinds & {"number", "real", "text"})


@lru_cache(maxsize=256)
def context_of(dialect: str, ddl: str | None, assumed: frozenset[str] = frozenset()) -> Context:
    """The context of a DDL text in the same dialect. A DDL that does not parse tells nothing."""
    tables: tuple[Table, ...] = ()
    if ddl and ddl.strip():
        try:
            tables = tables_in(ddl, dialect)
        except SqlSyntaxError:
            tables = ()
    names = {table.name.lower() for table in tables}
    facts = {table.name.lower(): _facts(table, tables, dialect) for table in tables}
    if len(names) != len(tables):
        facts = {}
    return Context(dialect, schema_mapping(ddl, dialect), facts, "collate" in (ddl or "").lower(), assumed)


def _facts(table: Table, tables: tuple[Table, ...], dialect: str) -> TableFacts:
    primary = [c.name.lower() for c in table.columns if c.primary_key]
    not_null = frozenset(
        c.name.lower() for c in table.columns if _declared_not_null(c, len(primary), dialect)
    )
    own = table.name.lower()
    targets = tuple(
        frozenset(foreign.target)
        for other in tables
        for foreign in _foreign(other, tables)
        if foreign.table == own and foreign.target
    )
    return TableFacts(
        columns=tuple(c.name.lower() for c in table.columns),
        kinds={c.name.lower(): _kind(c, dialect) for c in table.columns},
        not_null=not_null,
        primary=frozenset(primary),
        keys=tuple(dict.fromkeys(frozenset(c.lower() for c in key) for key in table.keys)),
        foreign=_foreign(table, tables),
        targets=tuple(dict.fromkeys(targets)),
        counted=next((c.name.lower() for c in table.columns if _counts_rows(c, len(primary), dialect)), ""),
    )


def _foreign(table: Table, tables: tuple[Table, ...]) -> tuple[Foreign, ...]:
    found = []
    for key in table.foreign_keys:
        target = tuple(c.lower() for c in key.columns)
        if not target:
            named = [t for t in tables if t.name.lower() == key.table.lower()]
            target = tuple(c.name.lower() for t in named for c in t.columns if c.primary_key)
        if target and len(target) == len(key.own):
            found.append(Foreign(tuple(c.lower() for c in key.own), key.table.lower(), target))
    return tuple(found)


def _declared_not_null(column: Column, primary_columns: int, dialect: str) -> bool:
    """SQLite lets NULL into a primary key, unless it is the INTEGER that numbers the rows."""
    if column.not_null or not column.primary_key:
        return column.not_null
    return dialect != "sqlite" or _counts_rows(column, primary_columns, dialect)


def _counts_rows(column: Column, primary_columns: int, dialect: str) -> bool:
    alone = column.primary_key and primary_columns == 1
    return dialect == "sqlite" and alone and column.declared == "INTEGER"


def _kind(column: Column, dialect: str) -> str:
    """`number`, `real`, `text`, or nothing where it is not known.

    SQLite by its rules of affinity (datatype3, 3.1): within one, values that are equal are stored alike.
    Elsewhere whole numbers, and text where it is compared byte by byte.
    """
    declared = column.declared
    if dialect == "sqlite":
        if "INT" in declared:
            return "number"
        if any(word in declared for word in ("CHAR", "CLOB", "TEXT")):
            return "text"
        if not declared or "BLOB" in declared:
            return ""
        return "real" if any(word in declared for word in ("REAL", "FLOA", "DOUB")) else "number"
    if declared.split(" ")[0] in _WHOLE:
        return "number"
    if dialect in _TEXT_COMPARES_BYTES and declared.split(" ")[0] in ("TEXT", "VARCHAR"):
        return "text"
    return ""
