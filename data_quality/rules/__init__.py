"""The rules, a module a dimension; importing this registers them all."""

from data_quality.rules import accepted, accuracy, balance, completeness, schema, timeliness

__all__ = ["accepted", "accuracy", "balance", "completeness", "schema", "timeliness"]
