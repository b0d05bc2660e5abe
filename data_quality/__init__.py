"""Doubting: rules by dimension, row rules, trust, score, and the sentences that findings are told in."""

from data_quality.audit import audit
from data_quality.evidence import BATCH_COLUMNS, OBSERVED_COLUMNS, REJECT_COLUMNS, Evidence, reject_frame

__all__ = ["BATCH_COLUMNS", "OBSERVED_COLUMNS", "REJECT_COLUMNS", "Evidence", "audit", "reject_frame"]
