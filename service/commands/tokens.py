"""Tokens with which other systems ask: `./watchfloor access tokens add | list | revoke`, each deed in the audit trail.

Works beside the running service, which hears of a revocation within seconds.
"""

import argparse
import sys
from datetime import UTC, datetime, timedelta

from analysis.questions.faults import CannotAnswer
from config.catalogue import NATION, Catalogue
from config.settings import Settings
from service.commands.users import check_name, opened_state, operator, role_in
from wording.documents import as_text

LONGEST_DAYS = 730


def add_commands(access: argparse.ArgumentParser) -> None:
    """Lay out the commands below `access`."""
    deeds = (
        access.add_subparsers(required=True, metavar="WHAT")
        .add_parser("tokens", help="with which other systems ask")
        .add_subparsers(required=True, metavar="DEED")
    )
    add = deeds.add_parser("add", help="make a token and print it; it cannot be shown again")
    add.add_argument("--name", required=True, help="the system that will show it, for the list and the trail")
    add.add_argument("--role", required=True, metavar="ROLE", help="a role of config/roles.yaml")
    add.add_argument("--region", default=NATION, metavar="CODE", help="the nation (default) or a province: all it sees")
    add.add_argument("--days", required=True, type=int, metavar="N", help=f"how long it holds: 1 to {LONGEST_DAYS}")
    add.set_defaults(command=_add)
    deeds.add_parser("list", help="every token, without what is shown").set_defaults(command=_list)
    revoke = deeds.add_parser("revoke", help="end a token within seconds")
    revoke.add_argument("id", metavar="ID", help="as the list has it")
    revoke.set_defaults(command=_revoke)


def _add(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    role, region = role_in(catalogue, asked.role, asked.region)
    check_name(asked.name)
    if not 1 <= asked.days <= LONGEST_DAYS:
        raise CannotAnswer(f"--days {asked.days}: a token holds 1 to {LONGEST_DAYS} days")
    with opened_state(settings, catalogue) as state:
        now = datetime.now(UTC)
        token, shown = state.tokens.add(asked.name, role, region, now, now + timedelta(days=asked.days))
        state.users.note(now, operator(), "token_added", f"{token.id} {asked.name} {role} {region} {asked.days} days")
    print(shown)
    print(f"token {token.id} holds until {token.expires_at.isoformat(timespec='minutes')}", file=sys.stderr)
    return 0


def _list(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with opened_state(settings, catalogue) as state:
        rows = [
            {
                "id": token.id,
                "name": token.name,
                "role": token.role,
                "region": token.region,
                "since": token.created_at,
                "until": token.expires_at,
                "revoked": token.revoked_at,
            }
            for token in state.tokens.all()
        ]
    print(as_text(rows, "table"), end="")
    return 0


def _revoke(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with opened_state(settings, catalogue) as state:
        now = datetime.now(UTC)
        if not state.tokens.revoke(asked.id, now):
            raise CannotAnswer(
                f"there is no token {asked.id!r} that is not revoked already; see: ./watchfloor access tokens list"
            )
        state.users.note(now, operator(), "token_revoked", asked.id)
    return 0
