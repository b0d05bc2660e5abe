"""The tree of regions in PostgreSQL."""

from config.catalogue import Catalogue
from store.facts.postgres.links import Link
from store.facts.shared.regions import region_rows

_PUT = """
INSERT INTO place SELECT * FROM unnest($1::int2[], $2::int2[], $3::int2[], $4::int2[], $5::int2[])"""


def write_regions(link: Link, catalogue: Catalogue) -> None:
    """Bring the tree in the store to this catalogue's, if they differ; readers see the one or the other."""
    wanted = region_rows(catalogue, link.names)
    if set(wanted) == set(link.connection.execute("SELECT * FROM place").fetchall()):
        return
    with link.connection.transaction():
        link.connection.execute("LOCK TABLE place IN SHARE ROW EXCLUSIVE MODE")
        link.connection.execute("DELETE FROM place")
        link.connection.execute(_PUT, [list(column) for column in zip(*wanted, strict=True)])
