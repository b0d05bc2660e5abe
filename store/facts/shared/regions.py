"""The catalogue's tree of regions as a table that questions join: region, nation, province, city, centre."""

from config.catalogue import Catalogue, Level
from store.facts.shared.names import Names


def region_rows(catalogue: Catalogue, names: Names) -> list[tuple[int, ...]]:
    """Codes of each region and of its ancestor at each level, itself included, in the order of `Level`.

    A region without such an ancestor has the code of '': without NULL codes stay as narrow as they are.
    """
    labels = ["", *catalogue.regions]
    codes = dict(zip(labels, names.give("region", labels).tolist(), strict=True))
    return [
        (codes[region], *(codes[catalogue.ancestor(region, level) or ""] for level in Level))
        for region in catalogue.regions
    ]
