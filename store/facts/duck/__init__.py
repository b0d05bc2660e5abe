"""Facts in DuckDB: one file, one process, a cursor a call, writes one after another."""

from store.facts.duck.history import DuckHistory

__all__ = ["DuckHistory"]
