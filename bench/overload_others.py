"""Rows of `./dev bench overload` that are no plain surge."""

ROWS = {}
