"""The command line: each command is a module of this folder with `add`, named once in COMMANDS."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from analysis.questions.faults import CannotAnswer, Unavailable
from config.faults import CatalogueError
from config.loading import load
from config.settings import BadSetting, read_settings
from service.commands import aside, audit, backfill, query, run, sources, storage, tokens, users
from service.commands.arguments import Command, Commands, add_folders
from store.faults import StoreFault

WRONG_CALL, FAILED = 2, 1


def _add_users(commands: Commands) -> None:
    users.add_commands(commands.add_parser("user", help="who may sign in: add, list, disable"))


def _add_access(commands: Commands) -> None:
    tokens.add_commands(commands.add_parser("access", help="with what other systems may ask: tokens"))


COMMANDS: tuple[Callable[[Commands], None], ...] = (
    run.add,
    backfill.add,
    query.add,
    audit.add,
    sources.add,
    storage.add,
    aside.add,
    _add_users,
    _add_access,
)
"""In the order in which `--help` names them."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0: done, 1: failed, 2: the call or the configuration is wrong."""
    asked = parser().parse_args(arguments)
    for name, folder in (("WATCHFLOOR_CONFIG_DIR", asked.config), ("WATCHFLOOR_HOME_DIR", asked.home)):
        if folder is not None:
            # By the environment, because collectors resolve their own relative paths against the same settings.
            os.environ[name] = str(folder)
    try:
        settings = read_settings()
        command: Command = asked.command
        return command(settings, load(settings.config_dir), asked)
    except (BadSetting, CatalogueError, CannotAnswer, backfill.CannotRead) as error:
        print(error, file=sys.stderr)
        return WRONG_CALL
    except (StoreFault, Unavailable) as error:
        print(error, file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        with suppress(OSError):
            sys.stdout.close()
        return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="./watchfloor", description="Watchfloor on the command line.")
    add_folders(top)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return top
