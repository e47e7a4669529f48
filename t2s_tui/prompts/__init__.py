"""Prompt templates, and their way to token ids (with a tokenizer that is passed in; no torch here)."""
