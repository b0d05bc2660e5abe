"""Where the tiers of facts live, and what the command line says of them and of time that they have forgotten."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pydantic import SecretStr

from analysis.questions.answer import answer
from analysis.questions.question import Question
from config.loading import load
from config.settings import Settings
from metrics.observations import Interval
from service.commands.command_line import main
from service.dependencies import open_dependencies
from service.listings import storage
from store.facts.history import BatchStamp
from store.facts.opening import in_database, in_schema
from tests.support.pipeline_world import FOLDER, GUANGZHOU, NOON, stores
from tests.support.real_postgres import shared_postgres

STAMP = BatchStamp("batch", "desk", "counts", 1, NOON)


def offered(*starts: datetime) -> pd.DataFrame:
    rows = [("offered", GUANGZHOU, "", start, 3.0) for start in starts]
    frame = pd.DataFrame(rows, columns=["measure", "region", "dimension", "start", "value"])
    return frame.astype({"start": "datetime64[s, UTC]"})


def test_a_tier_lives_beside_the_rows_it_is_rolled_from() -> None:
    plain = "postgresql://me@host/facts"
    assert in_schema(plain, "") == plain
    assert in_schema(plain, "_daily") == f"{plain}?options=-csearch_path%3Dpublic_daily"
    assert in_schema(f"{plain}?options=-csearch_path%3Dours", "_daily").endswith("ours%20-csearch_path%3Dours_daily")
    assert in_database("clickhouse://a,b/facts?cluster=c", "_daily") == "clickhouse://a,b/facts_daily?cluster=c"


def test_the_tiers_of_one_postgresql_have_a_schema_each(tmp_path: Path) -> None:
    settings = Settings(home_dir=tmp_path, facts_url=SecretStr(in_schema(shared_postgres(), "_of_tiers")))
    with open_dependencies(settings, load(FOLDER)) as dependencies:
        [_, quarter, _] = (tier.history for tier in dependencies.history.tiers)
        quarter.write(STAMP, offered(NOON))
        assert [tier["rows"] for tier in storage(dependencies.history).rows()] == [0, 1, 0]


def test_time_that_is_forgotten_is_asked_in_whole_buckets_or_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path), "--config", str(FOLDER)]
    asked = ["query", "answer_rate", "--from", "2026-11-21", "--to", "2026-11-22"]
    later = NOON + timedelta(days=32)
    with open_dependencies(Settings(home_dir=tmp_path), load(FOLDER)) as dependencies:
        frame = offered(*(NOON + timedelta(minutes=n) for n in range(30)))
        dependencies.history.write(STAMP, pd.concat([frame, frame.assign(measure="answered")]))
        span = Interval(NOON, NOON + timedelta(hours=1))
        before = answer(stores(dependencies), Question("answer_rate", span, grain="15min")).rows()
        for _ in range(3):
            while dependencies.history.roll(later, 10_000).buckets:
                pass
            dependencies.history.retain(later)
        assert [tier["rows"] for tier in storage(dependencies.history).rows()] == [0, 4, 2]
        assert answer(stores(dependencies), Question("answer_rate", span, grain="15min")).rows() == before
    assert main([*home, *asked, "--format", "json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["numerator"], row["denominator"]) == (90, 90)
    assert main([*home, *asked, "--by", "5min"]) == 2
    assert "kept by buckets of 15min; ask for whole buckets" in capsys.readouterr().err
    assert main([*home, "storage"]) == 0
    assert "bytes_a_row" in capsys.readouterr().out
