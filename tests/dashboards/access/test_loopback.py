"""Open access answers to this machine's own names only: a page of another host cannot read it by renaming us."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from dashboards.access.loopback import LoopbackOnly

OURS = ("localhost", "LOCALHOST:8050", "127.0.0.1:8050", "127.0.0.2", "[::1]", "[::1]:8050", "localhost.")
OTHERS = (
    "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::1].evil.example", "10.0.0.1",
    "", "192.168.1.1", "2130706433", "127.1", "evil.example:127.0.0.1", "[::ffff:10.0.0.1]", "xn--localhost",
    "[", "]", ":8050",
)  # fmt: skip


@pytest.mark.parametrize(("host", "status"), [(host, 200) for host in OURS] + [(host, 421) for host in OTHERS])
def test_only_our_own_names_are_answered(host: str, status: int) -> None:
    client = TestClient(LoopbackOnly(PlainTextResponse("figures")))
    answer = client.get("/hq", headers={"host": host})
    assert answer.status_code == status
    assert ("figures" in answer.text) == (status == 200)
    assert client.post("/ingest/v1/app", headers={"host": host}).status_code == status
