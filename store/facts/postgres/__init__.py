"""Facts in PostgreSQL: many processes write and read at once, one transaction a batch, one partition a day."""

from store.facts.postgres.history import PostgresHistory

__all__ = ["PostgresHistory"]
