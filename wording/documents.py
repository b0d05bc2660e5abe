"""What the command line prints: rows as an aligned table, as CSV or as JSON; nothing is rounded."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

Row = dict[str, Any]
NO_VALUE = "--"


def as_text(rows: Sequence[Row], form: str) -> str:
    """Rows that have the same keys, as `table`, `csv` or `json`."""
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=1, default=_text) + "\n"
    return _csv(rows) if form == "csv" else _table(rows)


def findings_as_text(findings: Sequence[Row], form: str) -> str:
    """Findings: as JSON whole, as text a sentence each with the lines behind it."""
    if form == "json":
        return as_text(findings, form)
    told = []
    for finding in findings:
        told.append(f"{finding['rule']}  {finding['state']:<7} {finding['sentence']}\n")
        lines = [str(row["line"]) for row in finding["rows"] if row.get("line") is not None]
        if lines:
            told.append(f"       lines {', '.join(lines)}\n")
    return "".join(told)


def _csv(rows: Sequence[Row]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if cell is None else _text(cell) for name, cell in row.items()} for row in rows)
    return target.getvalue()


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    cells = [[NO_VALUE if cell is None else _text(cell) for cell in row.values()] for row in rows]
    widths = [max(len(name), *(len(line[at]) for line in cells)) for at, name in enumerate(rows[0])]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    head = "  ".join(name.ljust(width) for name, width in zip(rows[0], widths, strict=True))
    return "".join(f"{line.rstrip()}\n" for line in (head, *lines))


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:.10g}"
    return str(cell)
