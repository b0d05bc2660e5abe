"""The rules, a module a dimension; importing this registers them all."""

from data_quality.rules import accuracy, balance, completeness, schema, timeliness

__all__ = ["accuracy", "balance", "completeness", "schema", "timeliness"]
