"""Reusable Textual widgets of the workbench."""
