"""`query`: a metric over time, by place, channel or dimension."""

import argparse
from collections.abc import Iterable

from analysis.questions.answer import Row
from analysis.questions.faults import CannotAnswer
from analysis.questions.question import GRAINS, PAGE_ROWS, Comparison, Filter, Question
from config.catalogue import NATION, Catalogue
from config.settings import Settings
from service.commands.arguments import Commands, add_format, add_language, add_range, moment_of, range_of
from service.questions import ask
from wording.documents import as_text
from wording.words import Words


def add(commands: Commands) -> None:
    """Add the command."""
    query = commands.add_parser("query", help="a metric over time, by place, channel or dimension")
    query.add_argument("metric", metavar="METRIC")
    add_range(query)
    query.add_argument("--by", choices=tuple(GRAINS), default="total")
    query.add_argument("--region", default=NATION, metavar="CODE")
    query.add_argument("--channel", metavar="ID")
    query.add_argument(
        "--group", action="append", default=[], metavar="DIMENSION|region|channel", help="may be given twice"
    )
    query.add_argument("--variant", metavar="F1..F5")
    query.add_argument(
        "--where", action="append", default=[], metavar="DIMENSION=VALUE", help="only this; again for more values"
    )
    query.add_argument("--compare", choices=[*Comparison], default=Comparison.NONE.value)
    query.add_argument("--as-known-at", metavar="TIME", help="as the figures stood then")
    query.add_argument("--rows", action="store_true", help="the observations behind the figure, a page at a time")
    query.add_argument("--page", type=int, default=0, metavar="N", help="of the rows, from 0 on")
    query.add_argument("--page-rows", type=int, default=PAGE_ROWS, metavar="N")
    add_format(query, "table", "csv", "json")
    add_language(query)
    query.set_defaults(command=_query)


def _query(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    found = ask(settings, catalogue, question_of(asked, catalogue))
    rows = found.rows()
    if asked.format != "json":
        rows = _readable(rows, Words(catalogue, asked.language))
    print(as_text(rows, asked.format), end="")
    return 0


def question_of(asked: argparse.Namespace, catalogue: Catalogue) -> Question:
    """The question of a call; raises CannotAnswer naming what cannot be read."""
    known = asked.as_known_at
    return Question(
        asked.metric,
        range_of(asked, catalogue),
        asked.variant,
        asked.by,
        asked.region,
        asked.channel,
        tuple(asked.group),
        tuple(_filters(asked.where)),
        Comparison(asked.compare),
        None if known is None else moment_of("--as-known-at", known, catalogue),
        asked.rows,
        asked.page,
        asked.page_rows,
    )


def _filters(given: Iterable[str]) -> Iterable[Filter]:
    for text in given:
        dimension, sign, value = text.partition("=")
        if not sign:
            raise CannotAnswer(f"--where {text!r} is not DIMENSION=VALUE, such as service_type=billing")
        yield dimension, (value,)


def _readable(rows: list[Row], words: Words) -> list[Row]:
    """The rows with reasons in words; machines get them as they are."""
    return [{**row, "reason": words.told(row["reason"])} if row.get("reason") else row for row in rows]
