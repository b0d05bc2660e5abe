"""The peer of the way to the glass: a Perspective table in a page, kept up to date by PostgreSQL's LISTEN and NOTIFY.

`python -m bench.perspective_peer URL` serves it for a database and prints its address. The page is the viewer out of
perspective-python's own wheel, made for notebooks; the few lines around it give it a WebSocket in the notebook's stead.
"""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import perspective  # type: ignore[import-untyped]  # it ships no types
import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from config.settings import ROOT
from tests.support.real_postgres import end_postgres, start_postgres

STATIC = Path(perspective.__file__).parent / "widget" / "static"
TABLE = "counts"
ROWS = 91
"""As many as our flow has paths, and the total that is watched."""
SCHEMA = f"""
CREATE TABLE {TABLE} (id int PRIMARY KEY, value int NOT NULL);
INSERT INTO {TABLE} SELECT id, 1 FROM generate_series(1, {ROWS}) id;
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_notify('{TABLE}', NEW.id || ' ' || NEW.value); RETURN NEW; END $$;
CREATE TRIGGER told AFTER UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION told();"""
PAGE = f"""<!doctype html><link rel="stylesheet" href="/static/perspective-anywidget.css">
<body style="margin:0;height:100vh">
<script type="module">
import widget from "/static/perspective-anywidget.js";
const socket = new WebSocket(`ws://${{location.host}}/socket`);
socket.binaryType = "arraybuffer";
await new Durability((done) => (socket.onopen = done));
const state = {{ binding_mode: "server", table_name: "{TABLE}", plugin: "Datagrid", theme: "Pro Dark" }};
let client = "";
const model = {{
  get: (name) => state[name], set: (name, value) => (state[name] = value), save_changes() {{}}, off() {{}},
  on(event, take) {{
    const told = () => ({{ type: "binary_msg", client_id: client }});
    if (event === "msg:custom") socket.onmessage = ({{ data }}) => take(told(), [new DataView(data)]);
  }},
  send(message, _, buffers) {{
    client = message.client_id;
    if (buffers) socket.send(buffers[0]);
  }},
}};
widget.render({{ model, el: document.body }});
</script>"""


async def socket(websocket: WebSocket) -> None:
    """One page's Perspective session."""
    loop = asyncio.get_running_loop()
    await websocket.accept()
    session = perspective.GLOBAL_SERVER.new_session(
        lambda message: loop.create_task(websocket.send_bytes(message)) and None
    )
    try:
        while True:
            session.handle_request(await websocket.receive_bytes())
    except WebSocketDisconnect:
        session.close()


async def follow(url: str, table: perspective.Table) -> None:
    """Bring the table up to every row that is told."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f"LISTEN {TABLE}")
        async for told in connection.notifies():
            key, value = map(int, told.payload.split())
            table.update([{"id": key, "value": value}])


def application(url: str) -> Starlette:
    """The page, its files and its socket."""

    @asynccontextmanager
    async def following(app: Starlette) -> AsyncIterator[None]:
        table = perspective.table({"id": "integer", "value": "integer"}, index="id", name=TABLE)
        with psycopg.connect(url) as connection:
            rows = connection.execute(f"SELECT id, value FROM {TABLE}").fetchall()
        table.update([{"id": key, "value": value} for key, value in rows])
        task = asyncio.create_task(follow(url, table))
        yield
        task.cancel()

    routes = [
        Route("/", lambda request: HTMLResponse(PAGE)),
        WebSocketRoute("/socket", socket),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=routes, lifespan=following)


@contextmanager
def perspective_page() -> Iterator[tuple[str, str]]:
    """The addresses of the page and of its database, each in processes of their own."""
    postgres = start_postgres()
    url = str(postgres.get_uri())
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(SCHEMA.encode())
    command = [sys.executable, "-m", "bench.perspective_peer", url]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip(), url
    finally:
        server.kill()
        server.communicate()
        end_postgres(postgres)


def main() -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.WARNING)
    server = uvicorn.Server(uvicorn.Config(application(sys.argv[1]), port=0, log_level="warning"))
    asyncio.run(_serve(server))


async def _serve(server: uvicorn.Server) -> None:
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", flush=True)
    await serving


if __name__ == "__main__":
    main()
