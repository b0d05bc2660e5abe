"""A writer whose work can be told from the numbers of its steps, and what a store shows of it."""

import random

from store.facts.history import History
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import KEYS, contacts, hour, minute, stamp, table


def step(history: History | ReferenceHistory, number: int) -> None:
    """One turn of a pipeline whose work can be told from its number alone."""
    chance = random.Random(number)
    cells = [
        (
            "offered",
            chance.choice(["110105", "120104"]),
            chance.choice(KEYS),
            minute(chance.randrange(40)),
            chance.randrange(9),
        )
        for _ in range(200)
    ]
    calls = [
        (f"call-{chance.randrange(60)}", "waited_s", "110106", "", minute(chance.randrange(40)), chance.randrange(9))
        for _ in range(30)
    ]
    history.write(stamp(number, "hotline", minute(number)), table(cells))
    history.contribute(stamp(number, "chat", minute(number)), contacts(calls))


def shown(history: History) -> dict[tuple[object, ...], float]:
    rows = history.observations(hour())
    keys = rows[["channel", "measure", "region", "dimension", "start"]].itertuples(index=False, name=None)
    return dict(zip(keys, rows["value"], strict=True))
