"""Retention: whole partitions are dropped; of a day that is cut, what is forgotten is covered until the day goes.

Rows are covered by one more version that is no number and was always so: nothing shows what was there, a later write
shows again. Deleting them would rewrite the day, and 18.16 never ends a deletion that meets the newest insert with a
quorum.
The ledger and what was kept aside go by whole days only.
"""

from store.facts.clickhouse.schema import TABLES, partition
from store.facts.clickhouse.servers import Servers

_OLD = "SELECT {partition} AS part FROM {table} GROUP BY part HAVING max({column}) < {limit}"

_COVER = """
INSERT INTO {table}
SELECT channel, measure, region, dimension, start, nan, 0, 0, 0, max(version) + 1, ''
FROM {table} WHERE start < {limit}
GROUP BY channel, measure, region, dimension, start HAVING argMax(since, version) > 0"""

SECONDS = {"fact": "start", "contribution": "start", "aside": "received_at"}


def forget_before(servers: Servers, shard: int, limit: int) -> None:
    """Forget what a shard holds of before a second; returns when every replica that answers has done it."""

    def forget(server: str) -> None:
        for table, second in SECONDS.items():
            local_table = servers.local_table(table)
            key = partition(TABLES[table].day_of, servers.address.days)
            old = _OLD.format(partition=key, column=second, table=local_table, limit=limit)
            for part in servers.query_server(server, old)["part"]:
                servers.execute(server, f"ALTER TABLE {local_table} DROP PARTITION {part}")
        servers.insert(server, _COVER.format(table=servers.local_table("fact"), limit=limit), None)

    servers.write(shard, forget)
    servers.wait_until_done(shard)
