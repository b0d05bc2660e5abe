"""Run the simulated nation: `python -m simulator --home DIR`; SIGTERM or Ctrl-C stops it cleanly."""

import argparse
import logging
import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from config.faults import CatalogueError
from config.loading import load
from config.settings import Settings
from simulator.control import ENDPOINTS
from simulator.nation import nation_of
from simulator.serving import Service, listen, write_endpoints
from simulator.shared_secrets import ADDRESS, DATABASES, HTTP_PORT, SecretMissing, secrets_from
from simulator.simulation import Plan, Simulation, starting
from simulator.troubles import POSSIBLE, Trouble

HOST = "127.0.0.1"


def main() -> int:
    """Run until a signal comes; 2 when something is missing, 1 when something is in the way."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    logging.getLogger("httpx").setLevel("WARNING")
    # Before and after uvicorn has the signals, they simply end the process: exit code 0, with everything closed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    arguments = _arguments()
    try:
        _run(arguments)
    except (SecretMissing, CatalogueError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    known = secrets_from(os.environ)
    nation = nation_of(load(arguments.config).regions)
    with listen(HOST, arguments.http_port) as listening:
        now = datetime.now(UTC)
        home = arguments.home.resolve()
        databases = {name: os.environ[variable] for name, variable in DATABASES.items() if os.environ.get(variable)}
        start = starting(home, now, arguments.warm_up)
        simulation = Simulation(Plan(nation, home, known, start, arguments.seed, arguments.scale, databases))
        token = secrets.token_urlsafe(24)
        service = Service(simulation, arguments.push_url, token, arguments.parent)
        simulation.warm_up(now)
        _begin_wishes(simulation, arguments)
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        write_endpoints(home / ENDPOINTS, address, token, simulation)
        print(f"the simulated nation is at {address}, its files under {home / 'demo'}", flush=True)
        try:
            service.serve(listening)
        finally:
            (home / ENDPOINTS).unlink(missing_ok=True)


def _begin_wishes(simulation: Simulation, arguments: argparse.Namespace) -> None:
    for system, trouble in arguments.trouble:
        simulation.behaviours[system].start(trouble, simulation.world.now)
    for province, factor in arguments.incident:
        simulation.begin_incident(province, factor)


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="a believable nation of customers")
    parser.add_argument(
        "--home", type=Path, required=True, help="data folder; everything is written under `demo` in it"
    )
    parser.add_argument("--config", type=Path, default=Settings().config_dir, help="catalogue with regions and centres")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies all volumes")
    parser.add_argument("--warm-up", type=int, default=60, metavar="MINUTES", help="how much past to begin with")
    parser.add_argument("--push-url", help="the push endpoint, such as http://127.0.0.1:8050/ingest/v1")
    parser.add_argument("--http-port", type=int, default=_usual_port(), help=f"0: any; usual: {HTTP_PORT}")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process, which started it, has ended")
    parser.add_argument("--trouble", type=_trouble, action="append", default=[], metavar="SYSTEM=TROUBLE")
    parser.add_argument("--incident", type=_incident, action="append", default=[], metavar="PROVINCE=FACTOR")
    return parser.parse_args()


def _usual_port() -> int:
    """The port that the collectors are told by the environment, or the one in the channels' files."""
    return urlsplit(os.environ.get(ADDRESS, "")).port or HTTP_PORT


def _trouble(written: str) -> tuple[str, Trouble]:
    system, _, trouble = written.partition("=")
    if system not in POSSIBLE or trouble not in [kind.value for kind in POSSIBLE[system]]:
        raise argparse.ArgumentTypeError(f"{written!r}: write one of {', '.join(POSSIBLE)}=one of {', '.join(Trouble)}")
    return system, Trouble(trouble)


def _incident(written: str) -> tuple[str, float]:
    province, _, factor = written.partition("=")
    try:
        return province, float(factor or 3)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{written!r}: write PROVINCE=FACTOR, such as 440000=3") from None


if __name__ == "__main__":
    sys.exit(main())
