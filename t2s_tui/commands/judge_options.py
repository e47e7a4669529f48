"""The judge's options, the same for `evaluate` and `judge`, and the question before money is spent."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from t2s_tui.commands.options import checked
from t2s_tui.commands.output import say
from t2s_tui.errors import UsageError
from t2s_tui.workspace import Workspace


def judge_options(parser: argparse.ArgumentParser) -> None:
    """Where the judge is, which it is, and how hard it may be asked."""
    judge = parser.add_argument_group("the LLM judge (metric judge)")
    judge.add_argument(
        "--judge-model",
        action="append",
        metavar="MODEL",
        help="a model of the endpoint; again: one more judge",
    )
    judge.add_argument(
        "--judge-also",
        action="append",
        default=[],
        metavar="model=...,prompt=...,url=...",
        help="one more judge; what is not named is as the first one's",
    )
    judge.add_argument(
        "--judge-vote",
        choices=("majority", "all", "each"),
        default="majority",
        help="what several votes come to: majority (default), all (every one yes), each (the first decides)",
    )
    judge.add_argument(
        "--judge-repeats", type=int, default=1, metavar="K", help="ask each judge K times (default 1)"
    )
    judge.add_argument(
        "--judge-swap", action="store_true", help="ask with gold and generated exchanged, too: position bias"
    )
    judge.add_argument("--judge-url", metavar="URL", help="OpenAI-compatible base URL (default: OpenAI's)")
    judge.add_argument("--judge-prompt", default="reference", help="a preset or <workspace>/judges/NAME.j2")
    judge.add_argument("--judge-concurrency", type=int, default=8)
    judge.add_argument("--judge-key-env", default="OPENAI_API_KEY", help="the variable that holds the key")
    judge.add_argument("--judge-key-command", metavar="CMD", help="a command that prints the key")
    judge.add_argument("--judge-rpm", type=float, metavar="N", help="requests a minute that are permitted")
    judge.add_argument("--judge-tpm", type=float, metavar="N", help="tokens a minute that are permitted")
    judge.add_argument(
        "--judge-route",
        choices=("live", "batch"),
        default="live",
        help="live: answers at once; batch: the Batch API, within 24 h at half the price (default live)",
    )
    judge.add_argument(
        "--judge-batch-tokens", type=int, metavar="N", help="tokens the account may have waiting in batches"
    )
    judge.add_argument("--judge-budget", type=float, metavar="USD", help="stop before it costs more")
    judge.add_argument("--judge-fresh", action="store_true", help="ask anew what the journal has")
    judge.add_argument(
        "--judge-structured",
        choices=("auto", "schema", "json", "text"),
        default="auto",
        help="how the answer's form is asked for (default auto: as the prompt needs it)",
    )
    judge.add_argument(
        "--judge-reasoning",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the model thinks before it answers (default: by its name)",
    )
    judge.add_argument("--judge-temperature", type=float, metavar="T", help="not sent while not set")
    judge.add_argument(
        "--judge-max-tokens", type=int, metavar="N", help="of an answer; not sent while not set"
    )
    judge.add_argument("--judge-seed", type=int, metavar="N", help="not sent while not set")
    judge.add_argument("--yes", action="store_true", help="start without a question, whatever it costs")


def judge_settings(args: argparse.Namespace) -> Any:
    """The settings that the options mean. Raises UsageError."""
    from t2s_tui.evaluation.judge.settings import JudgeSettings

    if not args.judge_model:
        raise UsageError("The judge needs a model", "name it with --judge-model and --judge-url")
    return checked(
        JudgeSettings,
        base_url=args.judge_url,
        model=args.judge_model[0],
        prompt=args.judge_prompt,
        concurrency=args.judge_concurrency,
        api_key_env=args.judge_key_env,
        key_command=args.judge_key_command,
        requests_per_minute=args.judge_rpm,
        tokens_per_minute=args.judge_tpm,
        route=args.judge_route,
        batch_tokens=args.judge_batch_tokens,
        budget=args.judge_budget,
        reuse=not args.judge_fresh,
        structured=args.judge_structured,
        reasoning=args.judge_reasoning,
        temperature=args.judge_temperature,
        max_tokens=args.judge_max_tokens,
        seed=args.judge_seed,
    )


def judge_panel(args: argparse.Namespace, first: Any) -> Any:
    """The judges besides the first, and how often each is asked. Raises UsageError."""
    from t2s_tui.evaluation.judge.panel import Panel, judges_of, read_also

    more = [f"model={model}" for model in args.judge_model[1:]] + args.judge_also
    panel = checked(
        Panel,
        also=[judge for text in more for judge in read_also(text, first)],
        vote=args.judge_vote,
        repeats=args.judge_repeats,
        swap=args.judge_swap,
    )
    judges_of(first, panel)
    return panel


def one_judge(args: argparse.Namespace) -> Any:
    """The settings, where only one judge that is asked once makes sense. Raises UsageError."""
    first = judge_settings(args)
    if not judge_panel(args, first).one:
        raise UsageError("A file holds the requests of one judge", "call this once for each of them")
    return first


def confirm(workspace: Workspace, request: Any, *, yes: bool) -> None:
    """Say what the judge will be asked; above a threshold a person must agree. Raises UsageError."""
    from t2s_tui.evaluation.judge.estimate import estimate

    found = estimate(workspace, request)
    if found is None:
        return
    words = [f"{found.requests} requests", f"about {found.prompt_tokens + found.answer_tokens:,} tokens"]
    if found.cost is not None:
        words.append(f"about {found.cost:.2f} {found.currency}")
    if found.minutes is not None:
        words.append(f"at least {found.minutes:.0f} min")
    if found.batch:
        words.append("in batches at the batch price, within 24 h")
    say(f"The judge will be asked: {', '.join(words)}.")
    if not found.to_confirm or yes:
        return
    if sys.stdin.isatty():
        say("Start? [y/N] ")
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise UsageError(
        f"The judge was not asked ({', '.join(words)})",
        "add --yes to start it, and --judge-budget to bound it",
    )
