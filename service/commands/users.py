"""Who may sign in: `./watchfloor user add | list | disable`, each deed noted in the audit trail.

Works beside the running service, which hears of it within seconds.
"""

import argparse
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from analysis.questions.faults import CannotAnswer
from config.catalogue import NATION, Catalogue, Level
from config.settings import Settings
from service.dependencies import make_home, state_url
from store.state import State, open_state
from wording.documents import as_text

PASSWORD_ENV = "WATCHFLOOR_PASSWORD"
SHORTEST_PASSWORD, LONGEST_PASSWORD, LONGEST_NAME = 10, 200, 80
ROLES = {Level.NATION: "executive", Level.PROVINCE: "province_manager"}
"""The role of an account that is made without one."""


def add_commands(user: argparse.ArgumentParser) -> None:
    """Lay out the commands below `user`."""
    deeds = user.add_subparsers(required=True, metavar="DEED")
    add = deeds.add_parser("add", help=f"make an account, or give it a new password (asked for, or {PASSWORD_ENV})")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", metavar="ROLE", help="a role of config/roles.yaml (default: by the region)")
    add.add_argument("--region", default=NATION, metavar="CODE", help="the nation (default) or a province: all he sees")
    add.set_defaults(command=_add)
    deeds.add_parser("list", help="every account").set_defaults(command=_list)
    disable = deeds.add_parser("disable", help="shut an account; its sessions end within seconds")
    disable.add_argument("name", metavar="NAME")
    disable.set_defaults(command=_disable)


def _add(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    role, region = role_in(catalogue, asked.role, asked.region)
    check_name(asked.name)
    password = _password()
    with opened_state(settings, catalogue) as state:
        now = datetime.now(UTC)
        state.users.put(asked.name, password, role, now, region)
        state.users.note(now, operator(), "user_added", f"{asked.name} {role} {region}")
    return 0


def check_name(name: str) -> None:
    """Raise CannotAnswer for what cannot name an account or a token."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise CannotAnswer(f"{name!r} is no name: 1 to {LONGEST_NAME} printable signs, no space around them")


def role_in(catalogue: Catalogue, role: str | None, code: str) -> tuple[str, str]:
    """A role and the region that it is for, checked; without a role, the one that a region's people have.

    Raises CannotAnswer saying what there is.
    """
    region = catalogue.regions.get(code)
    if region is None or not region.served or region.level not in ROLES:
        raise CannotAnswer(f"--region {code!r} is neither {NATION} (the nation) nor a province's code")
    name = ROLES[region.level] if role is None else role
    if name not in catalogue.roles:
        raise CannotAnswer(f"--role {name!r} does not exist; there are {', '.join(catalogue.roles)}")
    if region.level not in catalogue.roles[name].levels:
        levels = " or ".join(catalogue.roles[name].levels)
        raise CannotAnswer(f"--role {name} is for a {levels}, and --region {code} is a {region.level}")
    return name, code


def _list(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with opened_state(settings, catalogue) as state:
        rows = [
            {
                "name": account.name,
                "role": account.role,
                "region": account.region,
                "disabled": account.disabled,
                "since": account.created_at,
            }
            for account in state.users.all()
        ]
    print(as_text(rows, "table"), end="")
    return 0


def _disable(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with opened_state(settings, catalogue) as state:
        if state.users.find(asked.name) is None:
            raise CannotAnswer(f"there is no account {asked.name!r} that is not disabled already; see: user list")
        state.users.disable(asked.name)
        state.users.note(datetime.now(UTC), operator(), "user_disabled", asked.name)
    return 0


@contextmanager
def opened_state(settings: Settings, catalogue: Catalogue) -> Iterator[State]:
    """The state database, for as long as a command needs it."""
    make_home(settings)
    state = open_state(state_url(settings), catalogue.rules)
    try:
        yield state
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


def operator() -> str:
    """Who sits at the command line, as far as the system knows."""
    return f"{getpass.getuser()} (command line)"
