"""Names with a dollar sign, as planners print them (`EXPR$0`, `$f1`): DuckDB takes them in quotes only."""

from __future__ import annotations

from typing import Any

from sqlglot import exp


def quote_dollars(tree: Any) -> bool:
    """Quote such names, in place; whether there was one. A `$1` that stands for a value is left alone."""
    changed = False
    for node in list(tree.walk()):
        if isinstance(node, exp.Identifier) and "$" in str(node.this) and not node.args.get("quoted"):
            node.set("quoted", True)
            changed = True
        elif isinstance(node, exp.Placeholder) and node.this and _names(node):
            node.replace(exp.to_identifier(f"${node.this}", quoted=True))
            changed = True
    return changed


def _names(node: Any) -> bool:
    """Whether the placeholder stands where only a name can."""
    return (isinstance(node.parent, exp.Alias) and node.arg_key == "alias") or (
        isinstance(node.parent, exp.Column) and node.arg_key == "this"
    )
