"""`audit`: every finding of a range, with the rows behind it."""

import argparse

from analysis.questions.family import AuditQuestion
from config.catalogue import Catalogue
from config.settings import Settings
from service.commands.arguments import Commands, add_format, add_language, add_range, range_of
from service.questions import ask
from wording.documents import findings_as_text


def add(commands: Commands) -> None:
    """Add the command."""
    audit = commands.add_parser("audit", help="every finding of a range, with the rows behind it")
    add_range(audit)
    add_format(audit, "table", "json")
    add_language(audit)
    audit.set_defaults(command=_audit)


def _audit(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    found = ask(settings, catalogue, AuditQuestion(range_of(asked, catalogue), asked.language))
    print(findings_as_text(found.rows(), asked.format), end="")
    return 0
