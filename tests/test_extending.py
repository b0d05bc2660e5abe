"""The examples of `docs/extending.md`, put into a copy of the repository and used there: what the page says is true."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.settings import ROOT

PAGE = ROOT / "docs" / "extending.md"
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```\w+ (new|add)=(\S+)(?: under=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = shutil.ignore_patterns(".*cache", ".git", ".venv", ".hypothesis", "__pycache__", "var", "assets", "*.whl")


@dataclass(frozen=True)
class Piece:
    """One block of the page: a new file, or lines that are added to one that is there."""

    kind: str
    file: str
    under: str | None
    text: str

    def put(self, copy: Path) -> None:
        target = copy / self.file
        if self.kind == "new":
            assert not target.exists(), f"{self.file} is there already"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.text, encoding="utf-8")
            return
        there = target.read_text(encoding="utf-8")
        if self.under is None:
            target.write_text(
                f"{there}\n\n{self.text}" if target.suffix == ".py" else there + self.text, encoding="utf-8"
            )
            return
        line = f"\n{self.under}\n"
        assert there.count(line) == 1
        target.write_text(there.replace(line, line + self.text), encoding="utf-8")


def pieces(section: str) -> list[Piece]:
    """The blocks of one section."""
    titles = list(SECTION.finditer(PAGE.read_text(encoding="utf-8")))
    at = [title[1] for title in titles].index(section)
    end = titles[at + 1].start() if at + 1 < len(titles) else None
    return [
        Piece(*found.groups()) for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8")[titles[at].end() : end])
    ]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("copy") / "watchfloor"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    (copy / "assets").symlink_to(ROOT / "assets")
    return copy


@pytest.fixture
def copy(pristine: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "watchfloor"
    shutil.copytree(pristine, copy, symlinks=True)
    yield copy
    shutil.rmtree(copy)


def extend(copy: Path, section: str) -> tuple[int, int]:
    """Put a section's examples in; gives the numbers of new files and of files that were added to."""
    found = pieces(section)
    for piece in found:
        piece.put(copy)
    kinds = [piece.kind for piece in found]
    assert len({piece.file for piece in found}) == len(found)
    return kinds.count("new"), kinds.count("add")


def run(copy: Path, *command: str) -> str:
    """Run Python in the copy; gives what it prints."""
    done = subprocess.run(
        [sys.executable, *command], cwd=copy, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def counted(what: str) -> str:
    """What the page's table says of one addition."""
    [row] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {what} |")]
    return row


def test_the_page_has_examples() -> None:
    sections = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    assert len(sections) == 7
    assert all(pieces(section) for section in sections)


def test_a_channel_is_one_file(copy: Path) -> None:
    assert extend(copy, "A channel") == (1, 0)
    assert "| 1:" in counted("a channel")
    told = run(
        copy,
        "-c",
        "from config.loading import load; from config.settings import Settings; from service.sources import feeder;"
        "catalogue = load(); print(feeder(Settings(), catalogue, 'kiosk', None).collector.options.token_env)",
    )
    assert told == "WATCHFLOOR_TOKEN_KIOSK\n"


def test_a_metric_is_one_file(copy: Path) -> None:
    assert extend(copy, "A metric") == (1, 0)
    assert "| 1:" in counted("a metric")
    span = ["--from", "2026-11-20", "--to", "2026-11-21", "--format", "json"]
    told = run(copy, "-m", "service.commands", "--home", str(copy / "var"), "query", "complaint_share", *span)
    assert '"metric": "complaint_share"' in told
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/metrics/test_worked_examples.py")


def test_a_rule_is_a_function_its_settings_and_its_examples(copy: Path) -> None:
    assert extend(copy, "A rule") == (3, 3)
    assert "| 3:" in counted("a rule")
    assert "(3 files)" in counted("a rule")
    rule = ["-k", "AC-90", "tests/data_quality/test_rule_examples.py", "tests/data_quality/test_sentences.py"]
    told = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rule)
    assert re.search(r"^[5-9] passed|^\d\d passed", told, re.MULTILINE), told


def test_a_window_is_one_module_and_its_name(copy: Path) -> None:
    assert extend(copy, "A window") == (2, 0)
    assert "| 2:" in counted("a window")
    script = """
from starlette.testclient import TestClient
from config.loading import load
from dashboards.site.application import create_app
from dashboards.access.viewers import OpenAccess
from dashboards.site.pages import Pages
from dashboards.site.registry import all_windows
from tests.support.believable import believable
from tests.support.live_world import MemoryLive
catalogue = load()
pages = Pages(catalogue, OpenAccess(), all_windows())
parts = pages.parts(believable(catalogue), pages.view("waiting", "lang=en"))
print(parts["tile-queue_length"][".value"])
client = TestClient(create_app(catalogue, MemoryLive(), OpenAccess()), base_url="http://127.0.0.1")
print(client.head("/live/waiting").status_code, client.head("/live/nothing").status_code)
"""
    figure, answers = run(copy, "-c", script).splitlines()
    assert float(figure.replace(",", "")) > 0
    assert answers == "200 404"
    assert " 0 broken" in run(
        copy, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"
    )


def test_a_kind_of_source_is_one_folder(copy: Path) -> None:
    assert extend(copy, "A kind of source") == (1, 0)
    script = """
from datetime import UTC, datetime, timedelta
from pathlib import Path
from collectors import Ask, Installation, build, kinds
from config.catalogue import Channel
from config.loading import load
from metrics.observations import Interval
channel = Channel.model_validate({"id": "desk", "name": {"zh": "台", "en": "desk"}, "short": {"zh": "台", "en": "desk"},
    "sources": [{"id": "counts", "kind": "tally", "delivers": [{"measure": "contacts"}],
                 "options": {"path": "counts.csv"}}]})
Path("counts.csv").write_text("440100,contacts,7\\nnowhere,contacts,1\\n")
now = datetime(2026, 11, 21, tzinfo=UTC)
tally = build(load(), channel, channel.sources[0], Installation(b"key", Path(), dict().__getitem__))
parsed = tally.parse(tally.fetch(Ask(Interval(now - timedelta(hours=1), now), {}, now)))
print("tally" in kinds(), parsed.observations["value"].sum(), [reject.line for reject in parsed.rejects])
"""
    assert run(copy, "-c", script) == "True 7.0 [2]\n"


def test_a_kind_that_receives_is_one_folder(copy: Path) -> None:
    """What is posted to it goes through the real stream to the store, and is judged."""
    assert extend(copy, "A kind of source that receives") == (1, 0)
    script = """
import os
from contextlib import closing
from pathlib import Path
from starlette.testclient import TestClient
from config.catalogue import Source
from config.clock import utc_now
from config.loading import load
from config.settings import Settings
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from pipeline.flow.feeder import receiving
from pipeline.flow.stream_consumer import StreamConsumer
from service.sources import receiving_feeders
from service.web import receiving_addresses
from store.ingest.stream import Ingest
from store.valkey.embedded import EmbeddedValkey
from tests.support.live_world import MemoryLive
from tests.support.pipeline_world import FOLDER, pipeline
os.environ["SECRET"] = "s"
box = {"id": "box", "kind": "letterbox", "delivers": [{"measure": "contacts"}], "options": {"secret_env": "SECRET"}}
known = load(FOLDER)
desk = known.channels["desk"]
desk = desk.model_copy(update={"sources": (*desk.sources, Source.model_validate(box))})
known = known.model_copy(update={"channels": {"desk": desk}})
receivers = receiving_feeders(Settings(), known)
with EmbeddedValkey(Path("valkey")) as valkey, closing(Ingest(valkey.url)) as ingest:
    app = create_app(known, MemoryLive(), OpenAccess(), receiving_addresses(receivers, ingest), windows={})
    client = TestClient(app, base_url="http://127.0.0.1")
    lines = "440100,contacts,7\\nnowhere,contacts,1\\n"
    for secret in ("", "s"):
        print(client.post("/letterbox/desk/box", content=lines, headers={"x-secret": secret}).status_code)
    with pipeline(Path("home"), utc_now, known) as opened:
        print(StreamConsumer(opened, ingest, receiving(receivers)).once())
        print(("TY-01", "box") in {(found.rule, found.source) for found in opened.state.findings.open()})
"""
    assert run(copy, "-c", script).splitlines() == ["401", "202", "1", "True"]


def test_another_country_is_one_folder(copy: Path) -> None:
    assert extend(copy, "Another country") == (7, 0)
    assert "| 1 folder anywhere | none |" in counted("another country")
    told = run(copy, "-m", "assets.build.maps", "--config", "atlantis")
    assert "centre C-NORTH-1 names no city; it stands in AT-N" in told
    assert "provinces: 2 areas" in told
    script = """
from pathlib import Path
from starlette.testclient import TestClient
from collectors import validate_options
from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.files import assets_of
from dashboards.site.application import create_app
from tests.support.live_world import MemoryLive
catalogue = load(Path("atlantis"))
for channel in catalogue.channels.values():
    for source in channel.sources:
        validate_options(source)
client = TestClient(create_app(catalogue, MemoryLive(), OpenAccess()), base_url="http://127.0.0.1")
print(sorted(client.get(assets_of(catalogue.maps).url("geo/provinces.json")).json()["areas"]))
print(client.get("/province/AT-N?lang=en").status_code, client.get("/province/440000").status_code)
"""
    assert run(copy, "-c", script) == "['AT-N', 'AT-S']\n200 404\n"
