"""The catalogue's tree of regions as a table, for questions to join."""

import duckdb
import pandas as pd

from config.catalogue import Catalogue, Level
from store.facts.names import Names


def lay_places(cursor: duckdb.DuckDBPyConnection, catalogue: Catalogue, names: Names) -> None:
    """Write the tree of regions as `place(region, nation, province, city, centre)`.

    A region without such an ancestor has the code of '': without NULL the codes stay as narrow as they are,
    and DuckDB adds up small groups in an array instead of a hash table.
    """
    none, *codes = names.give("region", ["", *catalogue.regions]).tolist()
    code = dict(zip(catalogue.regions, codes, strict=True))
    columns = {"region": codes}
    for level in Level:
        above = (catalogue.ancestor(region, level) for region in catalogue.regions)
        columns[level] = [none if region is None else code[region] for region in above]
    cursor.register("places", pd.DataFrame(columns, dtype="UInt16"))
    cursor.execute("CREATE OR REPLACE TABLE place AS SELECT * FROM places")
