"""What an audit says of a row: its findings by kind, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

#: Every kind of finding in the order of its weight, with its words for a person.
KINDS = MappingProxyType(
    {
        "gold-syntax": "the gold SQL does not parse",
        "gold-fails": "the gold SQL does not run on its database",
        "unknown-table": "the gold SQL uses a table that the DDL lacks",
        "unknown-column": "the gold SQL uses a column that the DDL lacks",
        "ddl-syntax": "the DDL does not parse",
        "leak-question": "another split has the same or nearly the same question",
        "leak-gold": "another split has the same gold SQL",
        "cut": "the row is longer than the block size",
        "duplicate": "an earlier row of the split has the same question on the same database",
        "gold-empty": "the gold SQL returns no rows, only NULL, or a count of 0",
        "gold-large": "the gold SQL returns very many rows",
        "near-duplicate": "an earlier row of the split has nearly the same question on the same database",
        "language": "the question is in another language than most",
        "leak-database": "another split has the same database",
    }
)

#: How much a finding weighs in the order of rows, worst first. What breaks training or scoring comes first.
WEIGHTS = MappingProxyType(
    {
        "gold-syntax": 10.0,
        "gold-fails": 9.0,
        "unknown-table": 8.0,
        "unknown-column": 7.0,
        "ddl-syntax": 6.0,
        "leak-question": 5.0,
        "leak-gold": 3.0,
        "cut": 3.0,
        "duplicate": 2.0,
        "gold-empty": 2.0,
        "gold-large": 1.5,
        "near-duplicate": 1.0,
        "language": 1.0,
        "leak-database": 0.5,
    }
)

#: Findings about two splits.
LEAKS = ("leak-database", "leak-question", "leak-gold")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a row: a kind of KINDS, the place it is about, and what is said of it.

    The place is a part of the row (`gold line 1, column 8`), or for duplicates and leaks the other row as
    `split number`.
    """

    kind: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditedRow:
    """One example as the audit saw it.

    `worst` orders rows, higher is worse. `hardness` is the source's word, else by Spider's rules, empty
    where the gold does not parse. `nesting` is the depth of subqueries. `tokens` are those of prompt and
    answer, -1 where no tokenizer was given.
    """

    number: int
    findings: tuple[Finding, ...] = ()
    worst: float = 0.0
    hardness: str = ""
    joins: int = 0
    nesting: int = 0
    aggregates: int = 0
    question_language: str = ""
    ddl_language: str = ""
    tokens: int = -1

    @property
    def kinds(self) -> str:
        """The kinds of its findings, each once, separated by spaces: what a filter looks at."""
        return " ".join(dict.fromkeys(finding.kind for finding in self.findings))

    @property
    def weight(self) -> float:
        """What its findings weigh, each kind once."""
        return sum(WEIGHTS[kind] for kind in {finding.kind for finding in self.findings})
