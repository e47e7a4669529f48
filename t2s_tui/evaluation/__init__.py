"""Verdicts on predictions: exact, normalised, execution, the judge; and their statistics."""
