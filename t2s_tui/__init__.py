"""t2s-tui: a terminal workbench for fine-tuning small language models for Text-to-SQL."""

__version__ = "0.1.0"
