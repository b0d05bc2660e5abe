"""The catalogue's tree of regions, laid beside the facts as `place(region, nation, province, city, centre)`.

A region without such an ancestor has the code of ''.
"""

from config.catalogue import Catalogue, Level
from store.facts.postgres.links import Link

_PUT = """
INSERT INTO place SELECT * FROM unnest($1::int2[], $2::int2[], $3::int2[], $4::int2[], $5::int2[])"""


def lay_places(link: Link, catalogue: Catalogue) -> None:
    """Bring the tree in the store to this catalogue's, if they differ; readers see the one or the other."""
    labels = ["", *catalogue.regions]
    codes = dict(zip(labels, link.names.give("region", labels).tolist(), strict=True))
    wanted = [
        (codes[region], *(codes[catalogue.ancestor(region, level) or ""] for level in Level))
        for region in catalogue.regions
    ]
    if set(wanted) == set(link.connection.execute("SELECT * FROM place").fetchall()):
        return
    with link.connection.transaction():
        link.connection.execute("LOCK TABLE place IN SHARE ROW EXCLUSIVE MODE")
        link.connection.execute("DELETE FROM place")
        link.connection.execute(_PUT, [list(column) for column in zip(*wanted, strict=True)])
