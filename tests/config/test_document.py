"""The pages made from the catalogue say what it says."""

from pathlib import Path

import pytest

from config import document
from config.loading import load


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(document, "DOCS", tmp_path)
    return tmp_path


def test_check_fails_until_written_and_after_a_change(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main(["--check"]) == 1
    assert document.main([]) == 0
    assert document.main(["--check"]) == 0
    (docs / "metrics.md").write_text("changed by hand")
    capsys.readouterr()
    assert document.main(["--check"]) == 1
    assert "metrics.md is not what config/ says" in capsys.readouterr().out


def test_every_metric_measure_and_channel_is_there() -> None:
    catalogue = load()
    metrics, channels = document.metrics_page(catalogue), document.channels_page(catalogue)
    assert all(f"\n## {metric}\n" in metrics for metric in (*catalogue.metrics, *catalogue.sketches))
    assert all(f"\n| {measure} |" in metrics for measure in catalogue.measures)
    assert all(f"\n## {channel}\n" in channels for channel in catalogue.channels)
