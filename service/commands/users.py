"""Who may sign in: `./watchfloor user add | list | disable`, each deed noted in the audit trail.

Works beside the running service, which hears of it within seconds.
"""

import argparse
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from analysis.questions.question import CannotAnswer
from config.catalogue import NATION, Catalogue, Level
from config.settings import Settings
from service.dependencies import make_home, state_url
from store.state import open_state
from store.state.users import Users
from wording.documents import as_text

PASSWORD_ENV = "WATCHFLOOR_PASSWORD"
SHORTEST_PASSWORD, LONGEST_PASSWORD, LONGEST_NAME = 10, 200, 80
VIEWER = "viewer"


def add_commands(user: argparse.ArgumentParser) -> None:
    """Lay out the commands below `user`."""
    deeds = user.add_subparsers(required=True, metavar="DEED")
    add = deeds.add_parser("add", help=f"make an account, or give it a new password (asked for, or {PASSWORD_ENV})")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--region", default=NATION, metavar="CODE", help="the nation (default) or a province: all he sees")
    add.set_defaults(command=_add)
    deeds.add_parser("list", help="every account").set_defaults(command=_list)
    disable = deeds.add_parser("disable", help="shut an account; its sessions end within seconds")
    disable.add_argument("name", metavar="NAME")
    disable.set_defaults(command=_disable)


def _add(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    region = catalogue.regions.get(asked.region)
    if region is None or not region.served or region.level not in (Level.NATION, Level.PROVINCE):
        raise CannotAnswer(f"--region {asked.region!r} is neither {NATION} (the nation) nor a province's code")
    if not 0 < len(asked.name) <= LONGEST_NAME or not asked.name.isprintable() or asked.name != asked.name.strip():
        raise CannotAnswer(f"{asked.name!r} is no name: 1 to {LONGEST_NAME} printable signs, no space around them")
    password = _password()
    with _users(settings, catalogue) as users:
        now = datetime.now(UTC)
        users.put(asked.name, password, VIEWER, now, region.code)
        users.note(now, _operator(), "user_added", f"{asked.name} {region.code}")
    return 0


def _list(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with _users(settings, catalogue) as users:
        rows = [
            {"name": one.name, "region": one.region, "disabled": one.disabled, "since": one.created_at}
            for one in users.all()
        ]
    print(as_text(rows, "table"), end="")
    return 0


def _disable(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with _users(settings, catalogue) as users:
        if users.find(asked.name) is None:
            raise CannotAnswer(f"there is no account {asked.name!r} that is not disabled already; see: user list")
        users.disable(asked.name)
        users.note(datetime.now(UTC), _operator(), "user_disabled", asked.name)
    return 0


@contextmanager
def _users(settings: Settings, catalogue: Catalogue) -> Iterator[Users]:
    make_home(settings)
    state = open_state(state_url(settings), catalogue.rules)
    try:
        yield state.users
    finally:
        state.close()


def _password() -> str:
    """From the environment, or asked for twice; never an argument, which every process of the machine could read."""
    password = os.environ.get(PASSWORD_ENV)
    if password is None:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise CannotAnswer("the two passwords differ")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise CannotAnswer(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} signs")
    return password


def _operator() -> str:
    """Who sits at the command line, as far as the system knows."""
    return f"{getpass.getuser()} (command line)"
