"""The tree of regions in DuckDB."""

import duckdb
import pandas as pd

from config.catalogue import Catalogue, Level
from store.facts.shared.names import Names
from store.facts.shared.regions import region_rows


def write_regions(cursor: duckdb.DuckDBPyConnection, catalogue: Catalogue, names: Names) -> None:
    """Write the tree as `place(region, nation, province, city, centre)`.

    Narrow codes without NULL let DuckDB add up small groups in an array instead of a hash table.
    """
    rows = pd.DataFrame(region_rows(catalogue, names), columns=["region", *Level], dtype="UInt16")
    cursor.register("places", rows)
    cursor.execute("CREATE OR REPLACE TABLE place AS SELECT * FROM places")
