"""Facts in ClickHouse: one server, or shards of replicas; every version of a row is a row."""

from store.facts.clickhouse.history import ClickHouseHistory

__all__ = ["ClickHouseHistory"]
