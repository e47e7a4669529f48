"""The headless commands: what the workbench does, a script can do.

With `--json` every command puts one JSON object a line on stdout; words for people go to stderr.
Each module has `add_parser(subparsers)`; each command is a function `(args) -> exit code`.
"""
