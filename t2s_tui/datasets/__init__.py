"""Where examples come from and where they lie: source formats, the catalogue, splits, filters.

Importable by the drawing process: no torch, transformers, pandas; `datasets` only inside the hub format.
"""
