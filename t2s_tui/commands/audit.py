"""`t2s-tui datasets audit`: one job that looks at every row, and its results in words."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from t2s_tui.commands.follow import follow, tell_end
from t2s_tui.commands.options import checked, common, opened
from t2s_tui.commands.output import emit, out, say, table
from t2s_tui.errors import UsageError
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace

_WORST = 5


def add_audit(actions: Any) -> None:
    """Add `datasets audit`."""
    audit = common(actions.add_parser("audit", help="find what is wrong with the rows"), _audit)
    audit.add_argument("name")
    audit.add_argument("--tokenizer", metavar="MODEL", help="count tokens as this model does")
    audit.add_argument("--prompt", default="book", help="the template around each row (default book)")
    audit.add_argument("--block-size", type=int, metavar="N", help="tokens that fit: longer rows are cut")
    audit.add_argument(
        "--max-rows", type=int, default=1000, metavar="N", help="a gold that returns more is a finding"
    )
    audit.add_argument("--no-run", action="store_true", help="do not run the golds on their databases")
    audit.add_argument(
        "--fail-on", metavar="KINDS", help="exit 1 when a row has one of these findings (separated by commas)"
    )
    audit.add_argument("--no-wait", action="store_true", help="start the job and leave")


def _audit(args: argparse.Namespace) -> int:
    from t2s_tui.datasets.audit.request import AuditRequest
    from t2s_tui.jobs.launcher import submit

    workspace = opened(args)
    fatal = kinds(args.fail_on)
    with workspace.store() as store:
        store.datasets.get(args.name)
    if args.block_size is not None and args.tokenizer is None:
        raise UsageError("--block-size counts tokens", "say with --tokenizer whose")
    request = checked(
        AuditRequest,
        dataset=args.name,
        tokenizer=args.tokenizer,
        prompt=args.prompt,
        block_size=args.block_size,
        max_rows=args.max_rows,
        run_golds=not args.no_run,
    )
    job = submit(workspace, "audit", f"audit {args.name}", request.model_dump(mode="json"))
    if args.no_wait:
        say(f"Job {job.id} audits {args.name}. Follow it with `t2s-tui jobs follow {job.id}`.")
        if args.json:
            emit({"job": job.id, "kind": "audit", "state": "queued", "dataset": args.name})
        return 0
    say(f"Job {job.id}: stop it with `t2s-tui jobs stop {job.id}`.")
    view = follow(workspace, job.id)
    if view.status.state is not RunState.DONE or not view.status.result:
        return tell_end(view, as_json=args.json, dataset=args.name)
    summary = view.status.result
    if args.json:
        emit({"dataset": args.name, "job": job.id, **summary})
    else:
        _tell(workspace, args.name, summary)
    broken = {kind: summary["findings"][kind] for kind in fatal if kind in summary["findings"]}
    for kind, rows in broken.items():
        say(f"{kind}: {_rows(rows)}")
    return 1 if broken else 0


def kinds(text: str | None) -> list[str]:
    """The kinds of findings in a list with commas; `leak` is all that begin so. UsageError for others."""
    from t2s_tui.datasets.audit.findings import KINDS

    found: list[str] = []
    for word in (part.strip() for part in (text or "").split(",") if part.strip()):
        meant = [kind for kind in KINDS if kind == word or kind.startswith(f"{word}-")]
        if not meant:
            raise UsageError(f"There is no finding {word!r}", f"use {', '.join(KINDS)}")
        found += [kind for kind in meant if kind not in found]
    return found


def _tell(workspace: Workspace, name: str, summary: Mapping[str, Any]) -> None:
    from t2s_tui.datasets.audit.findings import KINDS

    splits = ", ".join(f"{split} {rows:,}" for split, rows in summary["splits"].items())
    out.print(f"{name}   {_rows(summary['rows'])} in {summary['seconds']:g} s   {splits}")
    found = summary["findings"]
    out.print(f"\nFindings in {_rows(summary['with_findings'])}" if found else "\nNothing was found.")
    if found:
        table(("finding", "rows", ""), [(kind, n, KINDS[kind]) for kind, n in found.items()], right=(1,))
    out.print()
    for title, values in _distributions(summary):
        out.print(f"{title:<16}{values}")
    for path in summary["changed_databases"]:
        out.print(f"{'changed':<16}{path} is not what it was when the dataset was added")
    for each in _worst(workspace, name):
        out.print(each)
    say("Drop rows with `t2s-tui datasets clean`; see them in the workbench with the filter `finding:any`.")


def _distributions(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    titles = {
        "question_language": "questions in",
        "ddl_language": "DDL in",
        "dialects": "dialect",
        "hardness": "hardness",
        "joins": "joins",
        "nesting": "nesting",
        "aggregates": "aggregates",
        "features": "SQL uses",
        "golds": "golds run",
    }
    lines = [
        (title, " · ".join(f"{value}: {rows:,}" for value, rows in summary[key].items()))
        for key, title in titles.items()
    ]
    if tokens := summary["tokens"]:
        cut = f", {tokens['cut']:,} longer than {tokens['block_size']}" if tokens["block_size"] else ""
        text = f"median {tokens['median']:,}, 95% up to {tokens['p95']:,}, most {tokens['most']:,}{cut}"
        lines.append(("tokens", text))
    odd = [f"#{each['number']} {each['why']}" for each in summary["unusual"][:3]]
    return [*lines, *[("unusual", text) for text in odd]]


def _worst(workspace: Workspace, name: str) -> list[str]:
    import pyarrow.compute as pc

    from t2s_tui.datasets.audit.table import read_audit

    audit = read_audit(workspace.dataset_dir(name))
    if audit is None:
        return []
    order = pc.sort_indices(audit.arrow["worst"], sort_keys=[("", "descending")])
    rows = [audit[at] for at in order.slice(0, _WORST).to_pylist()]
    return [
        f"{'worst':<16}#{row.number} {finding.kind} at {finding.where}: {finding.detail}"
        for row in rows
        for finding in row.findings[:1]
    ]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
