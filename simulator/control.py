"""Command the nation while it runs: troubles and incidents, over loopback with a token.

python -m simulator.control --home var show
python -m simulator.control --home var trouble hotline late
python -m simulator.control --home var trouble hotline late --off
python -m simulator.control --home var incident 440000 3
python -m simulator.control --home var incident 440000 --off
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.simulation import Simulation
from simulator.systems.http_door import refused, same
from simulator.troubles import POSSIBLE, Trouble

ENDPOINTS = Path("demo") / "endpoints.json"


class Control:
    """`GET /control/v1`; `PUT` and `DELETE` of `…/troubles/<system>/<trouble>` and of `…/incidents/<province>`."""

    def __init__(self, simulation: Simulation, token: str) -> None:
        self._simulation, self._token = simulation, token

    async def answer(self, request: Request) -> Response:
        """Obey one command and tell how things stand; 400 with the reason for what cannot be."""
        if not same(request.headers.get("authorization"), f"Bearer {self._token}"):
            return refused()
        try:
            self._obey(request)
        except ValueError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse(self._state())

    def _obey(self, request: Request) -> None:
        asked, on = request.path_params, request.method == "PUT"
        if request.method == "GET":
            return
        if "province" in asked:
            self._incident(asked["province"], request.query_params.get("factor", "3"), on=on)
            return
        behaviour = self._simulation.behaviours.get(asked["system"])
        if behaviour is None:
            raise ValueError(f"unknown system {asked['system']!r}; there are {', '.join(POSSIBLE)}")
        switch = behaviour.start if on else behaviour.stop
        switch(Trouble(asked["trouble"]), self._simulation.world.now)

    def _incident(self, province: str, factor: str, *, on: bool) -> None:
        if on:
            self._simulation.begin_incident(province, float(factor))
        else:
            self._simulation.end_incident(province)

    def _state(self) -> dict[str, Any]:
        incidents = self._simulation.world.incidents.values()
        return {
            "troubles": {name: one.troubles() for name, one in self._simulation.behaviours.items() if one.troubles()},
            "incidents": {incident.province: incident.factor for incident in incidents},
        }


def control_routes(simulation: Simulation, token: str) -> list[Route]:
    """The routes of the control interface."""
    control = Control(simulation, token)
    return [
        Route("/control/v1", control.answer, methods=["GET"]),
        Route("/control/v1/troubles/{system}/{trouble}", control.answer, methods=["PUT", "DELETE"]),
        Route("/control/v1/incidents/{province}", control.answer, methods=["PUT", "DELETE"]),
    ]


def main() -> int:
    """Send one command to the nation that runs under a data folder; 1 where there is none or it refuses."""
    arguments = _parser().parse_args()
    file = arguments.home / ENDPOINTS
    if not file.exists():
        print(f"no simulated nation runs under {arguments.home}: {file} is missing", file=sys.stderr)
        return 1
    control = json.loads(file.read_text(encoding="utf-8"))["control"]
    method, path = _command(arguments)
    answer = httpx.request(
        method, f"{control['url']}{path}", headers={"Authorization": f"Bearer {control['token']}"}, trust_env=False
    )
    print(json.dumps(answer.json(), indent=1))
    return 0 if answer.is_success else 1


def _command(arguments: argparse.Namespace) -> tuple[str, str]:
    if arguments.what == "show":
        return "GET", ""
    method = "DELETE" if arguments.off else "PUT"
    if arguments.what == "trouble":
        return method, f"/troubles/{arguments.system}/{arguments.trouble}"
    return method, f"/incidents/{arguments.province}?factor={arguments.factor}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator.control", description="command the simulated nation")
    parser.add_argument("--home", type=Path, required=True, help="its data folder")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("show", help="what is wrong now")
    trouble = commands.add_parser("trouble", help="let a system misbehave")
    trouble.add_argument("system", choices=list(POSSIBLE))
    trouble.add_argument("trouble", choices=[kind.value for kind in Trouble])
    trouble.add_argument("--off", action="store_true")
    incident = commands.add_parser("incident", help="multiply a province's needs")
    incident.add_argument("province")
    incident.add_argument("factor", type=float, nargs="?", default=3.0)
    incident.add_argument("--off", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
