"""Doubting: rules by dimension, row rules, trust, score, and the sentences that findings are told in."""

from data_quality.audit import audit
from data_quality.evidence import BATCH_COLUMNS, OBSERVED_COLUMNS, ROW_CHECK_COLUMNS, Evidence

__all__ = ["BATCH_COLUMNS", "OBSERVED_COLUMNS", "ROW_CHECK_COLUMNS", "Evidence", "audit"]
