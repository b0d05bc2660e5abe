import re
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from starlette.testclient import TestClient

from config.catalogue import PRODUCT_MAPS
from dashboards.access.viewers import OpenAccess
from dashboards.files import FOLDER, assets_of
from dashboards.site.application import create_app
from tests.support.live_world import MemoryLive, catalogue, windows

ASSETS = assets_of(PRODUCT_MAPS)
CLIENT = TestClient(create_app(catalogue(), MemoryLive(), OpenAccess(), windows=windows()))


def test_every_file_of_the_folder_is_served_packed_and_kept_for_ever() -> None:
    assert {"live.js", "charts.js", "vendor/plotly.min.js", "geo/provinces.json"} <= ASSETS.files.keys()
    for name, path in ASSETS.files.items():
        with CLIENT.stream("GET", ASSETS.url(name), headers={"accept-encoding": "br"}) as answer:
            packed = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "br", name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert brotli.decompress(packed) == path.read_bytes(), name


def test_a_client_without_brotli_gets_the_file_itself() -> None:
    answer = CLIENT.get(ASSETS.url("live.js"), headers={"accept-encoding": "identity"})
    assert answer.content == (FOLDER / "live.js").read_bytes()
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/000000000000/live.js",
        f"/assets/{ASSETS.version}/build/bundle.mjs",
        f"/assets/{ASSETS.version}/build/package.json",
        f"/assets/{ASSETS.version}/nothing.js",
        f"/assets/{ASSETS.version}/../dashboards/site/application.py",
        f"/assets/{ASSETS.version}/%2e%2e/pyproject.toml",
    ],
)
def test_nothing_else_is(path: str) -> None:
    assert CLIENT.get(path).status_code == 404


def test_dash_scripts_are_packed_and_kept_for_ever() -> None:
    scripts = re.findall(r'src="(/_dash-component-suites/[^"]+)"', CLIENT.get("/hq").text)
    assert len(scripts) >= 6
    for script in scripts:
        answer = CLIENT.get(script, headers={"accept-encoding": "br"})
        assert (answer.status_code, answer.headers["content-encoding"]) == (200, "br"), script
        assert "immutable" in answer.headers["cache-control"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match=r"nothing\.js"):
        ASSETS.url("nothing.js")


def test_the_licences_of_what_others_made_are_beside_it() -> None:
    assert "MIT License" in (FOLDER / "vendor" / "plotly.LICENSE").read_text()
    assert "GS(2024)0650" in (FOLDER / "geo" / "NOTICE").read_text(encoding="utf-8")


def test_every_province_that_has_a_window_has_a_map() -> None:
    from config.catalogue import Level
    from config.loading import load

    missing = [
        code
        for code in load().at_level(Level.PROVINCE)
        if not Path(FOLDER / "geo" / "cities" / f"{code}.json").exists()
    ]
    assert missing == []
