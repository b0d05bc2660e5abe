"""The nginx configuration on a real nginx, in front of two real web processes, seen from a real browser."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from config.settings import ROOT
from tests.support.browsers import SmallWorld, browser
from tests.support.clickhouse_cluster import PACKAGES
from tests.support.live_world import snapshot
from tests.support.ports import free_port, takes_connections
from tests.support.processes import DIES_WITH_US
from tests.support.waiting import eventually

__all__ = ["browser"]
NGINX = shutil.which("nginx") or str(PACKAGES / "usr/sbin/nginx")
MAIN = """
daemon off; pid {folder}/pid; error_log {folder}/errors.log info; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/watchfloor.conf;
}}
"""
CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1")


@dataclass
class Front:
    """nginx before two web processes."""

    plain: str
    url: str
    webs: tuple[SmallWorld, SmallWorld]

    def publish(self, number: int, offered: float) -> None:
        for web in self.webs:
            web.publish(snapshot(number, offered))


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    webs = SmallWorld(), SmallWorld()
    plain, secure = free_port(), free_port()
    write_configuration(tmp_path, [web.port for web in webs], plain, secure)
    process = subprocess.Popen([*DIES_WITH_US, NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    try:
        eventually(lambda: takes_connections(secure), f"nginx answers; see {tmp_path}/errors.log")
        yield Front(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{secure}", webs)
    finally:
        process.terminate()
        process.wait()
        for web in webs:
            web.stop()


def write_configuration(folder: Path, webs: list[int], plain: int, secure: int) -> None:
    """The file that we ship, with this machine's ports, processes and certificate in it."""
    text = (ROOT / "deploy/nginx/watchfloor.conf").read_text(encoding="utf-8")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run([*CERTIFICATE, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    changes = {
        r"server web-1:8050;": f"server 127.0.0.1:{webs[0]};",
        r"server web-2:8050;": f"server 127.0.0.1:{webs[1]};",
        r"listen 80;": f"listen 127.0.0.1:{plain};",
        r"listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        r"listen \[::\]:.*": "",
        r"/etc/nginx/tls/fullchain\.pem": str(certificate),
        r"/etc/nginx/tls/key\.pem": str(key),
    }
    for old, new in changes.items():
        text, count = re.subn(old, new, text)
        assert count, f"{old} is not in the configuration any more"
    (folder / "watchfloor.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder), encoding="utf-8")


def test_plain_http_is_sent_to_https(front: Front) -> None:
    answer = httpx.get(f"{front.plain}/hq?lang=en", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://127.0.0.1/hq?lang=en")


def test_figures_come_through_at_once_over_http2_and_survive_a_web_process(front: Front, browser: Browser) -> None:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    front.publish(1, 412)
    page.goto(f"{front.url}/flow")
    expect(page.locator("#offered")).to_have_text("412", timeout=20_000)
    assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    front.publish(2, 413)
    expect(page.locator("#offered")).to_have_text("413", timeout=5_000)
    began = page.evaluate("performance.timeOrigin")
    spare, busy = sorted(front.webs, key=lambda web: web.site.hub.streams)
    assert (spare.site.hub.streams, busy.site.hub.streams) == (0, 1)
    busy.stop()
    spare.publish(snapshot(3, 414))
    expect(page.locator("#offered")).to_have_text("414", timeout=20_000)
    assert page.evaluate("performance.timeOrigin") == began, "the page was not loaded again"
    busy.start()
    context.close()


def test_a_body_that_is_too_large_stops_at_the_door(front: Front) -> None:
    with httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501 - the certificate is this test's own
        answer = client.post(f"{front.url}/ingest/v1/x", content=b"x" * (33 << 20))
    assert answer.status_code == 413
