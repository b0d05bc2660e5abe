"""What the command line prints: rows as an aligned table, as CSV or as JSON; nothing is rounded."""

import csv
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

Row = dict[str, Any]
NO_VALUE = "--"


def show(rows: Sequence[Row], form: str) -> None:
    """Print rows that have the same keys."""
    if form == "json":
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=1, default=_text)
        print()
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: "" if cell is None else _text(cell) for name, cell in row.items()} for row in rows)
    else:
        _table(rows)


def show_findings(findings: Sequence[Row], form: str) -> None:
    """Print findings: as JSON whole, as text a sentence each with the lines behind it."""
    if form == "json":
        show(findings, form)
        return
    for finding in findings:
        print(f"{finding['rule']}  {finding['state']:<7} {finding['sentence']}")
        lines = [str(row["line"]) for row in finding["rows"] if row.get("line") is not None]
        if lines:
            print(f"       lines {', '.join(lines)}")


def _table(rows: Sequence[Row]) -> None:
    if not rows:
        return
    cells = [[NO_VALUE if cell is None else _text(cell) for cell in row.values()] for row in rows]
    widths = [max(len(name), *(len(line[at]) for line in cells)) for at, name in enumerate(rows[0])]
    for line in [list(rows[0]), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:.10g}"
    return str(cell)
