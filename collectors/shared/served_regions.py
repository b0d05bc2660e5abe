"""Which places a source's records belong to: only regions that the operator serves."""

from collections.abc import Iterable, Mapping

from collectors.shared.contributions import Coded
from collectors.shared.record_verdicts import RecordVerdicts
from config.catalogue import Catalogue


def unserved(codes: Iterable[str], catalogue: Catalogue) -> set[str]:
    """Codes that are no served region."""
    return {code for code in codes if code not in catalogue.regions or not catalogue.regions[code].served}


def place_records(
    column: Coded, name: str, known: Mapping[str, str], catalogue: Catalogue, verdicts: RecordVerdicts
) -> Coded:
    """The region of each record by a column's text, mapped by `known`; refuses what is no served region (AC-02)."""
    codes = Coded.merged(column.codes, [known.get(text, text) for text in column.texts])
    strange = unserved(codes.texts, catalogue)
    verdicts.refuse(column.empty(), "AC-02", "region_missing", name, column.text)
    verdicts.refuse(codes.where(lambda code: code in strange), "AC-02", "unknown_region", name, column.text)
    return codes
