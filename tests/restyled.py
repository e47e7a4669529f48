"""The same query as another hand would write it: aliases, letters, quotes, the order of conjuncts."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import sqlglot
from sqlglot import exp

_TOKEN = re.compile(r"('(?:[^']|'')*')|(\"[^\"]*\")|(\w+)|(\s+)|(.)", re.DOTALL)
_QUOTES = ('"{}"', "`{}`", "[{}]")
_ALIASES = ("x{}", "Tbl{}", "_{}", '"an alias {}"', "누구{}")


def restyled(sql: str, names: Sequence[str], rng: random.Random) -> str:
    """`sql` in other words: SQLite's, the aliases `t1`, `t2` and so on renamed. `names` may be quoted."""
    return _respelled(_reordered(sql, rng), {name.lower() for name in names}, rng)


def _reordered(sql: str, rng: random.Random) -> str:
    """The conjuncts of each chain of ANDs shuffled, each comparison turned round or not."""
    tree = sqlglot.parse_one(sql, read="sqlite")
    for node in list(tree.find_all(exp.And)):
        if not isinstance(node.parent, exp.And):
            members = list(node.flatten())
            rng.shuffle(members)
            node.replace(exp.and_(*(member.copy() for member in members), copy=False))
    for node in list(tree.find_all(exp.EQ)):
        if rng.random() < 0.5:
            left, right = node.this.copy(), node.expression.copy()
            node.set("this", right)
            node.set("expression", left)
    return tree.sql("sqlite")


def _respelled(sql: str, names: set[str], rng: random.Random) -> str:
    form = rng.choice(_ALIASES)
    text = ""
    for string, quoted, word, space, other in _TOKEN.findall(sql):
        if re.fullmatch(r"t\d+", word):
            text += form.format(word[1:])
        elif word.lower() in names and rng.random() < 0.3:
            text += rng.choice(_QUOTES).format(_recased(word, rng))
        else:
            text += string or quoted or _recased(word, rng) or space or other
    return text


def _recased(word: str, rng: random.Random) -> str:
    return rng.choice((word, word.upper(), word.capitalize()))
