"""Lines of a contact log into columns of text; lines that are no record become rejects."""

import csv
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collectors.contact_log.options import Options
from collectors.shared.contributions import Coded
from collectors.shared.lines import Lines, reject
from metrics.observations import Reject, SourceFault


@dataclass(frozen=True)
class Table:
    """Records of one piece of a file; `positions` index into the lines that they came from."""

    columns: dict[str, Coded]
    positions: npt.NDArray[np.intp]
    rejects: list[Reject]

    def __len__(self) -> int:
        return len(self.positions)


def column_names(lines: Lines, options: Options, origin: str) -> tuple[str, ...]:
    """Names of the columns from a file's first line; raises SourceFault if one is missing that the options name."""
    if not lines.texts:
        return ()
    cells, _ = cells_of(lines.texts[0], options)
    names = tuple(cell.strip() for cell in cells or ())
    lacking = sorted(options.named_columns() - set(names))
    doubled = sorted({name for name in options.named_columns() if names.count(name) > 1})
    if lacking or doubled:
        detail = (
            f"{origin}: the first line lacks the columns {lacking} or has {doubled} twice; it has {list(names)[:50]}"
        )
        raise SourceFault("unreadable", detail, permanent=True)
    return names


def read_table(lines: Lines, names: tuple[str, ...], wanted: set[str], options: Options, skip: int) -> Table:
    """Columns of the wanted names from all lines but the first `skip`."""
    records, positions, rejects = [], [], []
    delimiter, quote = options.delimiter, options.quote
    texts = decoded(lines.texts, options.encoding)
    for position in range(skip, len(lines.texts)):
        text = texts[position] if texts else None
        if text is not None and (not quote or quote not in text) and text.count(delimiter) + 1 == len(names):
            records.append(text.split(delimiter))
            positions.append(position)
            continue
        cells, fault = cells_of(lines.texts[position], options)
        if cells is not None and len(cells) == len(names):
            records.append(cells)
            positions.append(position)
        else:
            code, value = fault or ("field_count", f"{len(cells or ())}/{len(names)}")
            rejects.append(reject("TY-01", int(lines.numbers[position]), None, code, value))
    columns = {name: column(records, at, options.missing) for at, name in enumerate(names) if name in wanted}
    return Table(columns, np.array(positions, dtype=np.intp), rejects)


def decoded(lines: list[bytes], encoding: str) -> list[str] | None:
    """All lines decoded at once, or None if one cannot be (they are then decoded one by one)."""
    try:
        texts = b"\n".join(lines).decode(encoding).split("\n")
    except UnicodeDecodeError:
        return None
    return texts if len(texts) == len(lines) else None


def cells_of(line: bytes, options: Options) -> tuple[list[str] | None, tuple[str, str] | None]:
    """The cells of one line, or its fault as code and value; no more of it, since it may hold a customer's number."""
    try:
        text = line.decode(options.encoding)
    except UnicodeDecodeError as error:
        return None, ("bad_encoding", str(line[error.start : error.start + 8])[2:-1])
    if not options.quote or options.quote not in text:
        return text.split(options.delimiter), None
    try:
        return next(csv.reader([text], delimiter=options.delimiter, quotechar=options.quote, strict=True)), None
    except (csv.Error, StopIteration):
        return None, ("open_quote", options.quote)


def column(records: list[list[str]], at: int, missing: tuple[str, ...]) -> Coded:
    """One column of the records, stripped, empty where the cell is missing."""
    found = Coded.of([record[at] for record in records])
    texts = [text.strip() for text in found.texts]
    return Coded.merged(found.codes, ["" if text in missing else text for text in texts])
