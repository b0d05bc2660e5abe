"""The tree of regions in PostgreSQL."""

from config.catalogue import Catalogue
from store.facts.postgres.sessions import Session
from store.facts.shared.regions import region_rows

_INSERT = """
INSERT INTO place SELECT * FROM unnest($1::int2[], $2::int2[], $3::int2[], $4::int2[], $5::int2[])"""


def write_regions(session: Session, catalogue: Catalogue) -> None:
    """Bring the tree in the store to this catalogue's, if they differ; readers see the one or the other."""
    wanted = region_rows(catalogue, session.names)
    if set(wanted) == set(session.connection.execute("SELECT * FROM place").fetchall()):
        return
    with session.connection.transaction():
        session.connection.execute("LOCK TABLE place IN SHARE ROW EXCLUSIVE MODE")
        session.connection.execute("DELETE FROM place")
        session.connection.execute(_INSERT, [list(column) for column in zip(*wanted, strict=True)])
