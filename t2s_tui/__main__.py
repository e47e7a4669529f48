"""`python -m t2s_tui` is `t2s-tui`."""

from t2s_tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
