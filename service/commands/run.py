"""`run`: the pipeline without the web windows."""

import argparse

from config.catalogue import Catalogue
from config.settings import Settings
from service.commands.arguments import Commands
from service.pipeline import run_alone
from service.process import set_up_log


def add(commands: Commands) -> None:
    """Add the command."""
    run = commands.add_parser("run", help="run the pipeline without the web windows")
    run.set_defaults(command=_run)


def _run(settings: Settings, catalogue: Catalogue, _: argparse.Namespace) -> int:
    set_up_log(settings)
    return run_alone(settings, catalogue)
