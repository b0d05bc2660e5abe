"""How numbers, times and reasons read, in both languages."""

from datetime import UTC, datetime, timedelta

import pytest

from config.catalogue import Metric
from dashboards.panels.reading_text import change, sample
from metrics.observations import NaiveTime
from metrics.readings import Reading, State, Trust
from tests.support.shown_windows import catalogue
from wording.words import DASH, Words

NOW = datetime(2026, 11, 21, 10, 23, tzinfo=UTC)


def words(language: str = "zh") -> Words:
    return Words(catalogue(), language)


def metric(name: str) -> Metric:
    return catalogue().metrics[name]


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (None, "--", "--"),
        (float("nan"), "--", "--"),
        (0.0, "0", "0"),
        (-0.0, "0", "0"),
        (9_999, "9,999", "9,999"),
        (12_345, "1.23 万", "12.3 k"),
        (1_234_567, "123.46 万", "1.23 M"),
        (123_456_789, "1.23 亿", "123.46 M"),
        (1.5, "1.5", "1.5"),
    ],
)
def test_counts(value: float | None, zh: str, en: str) -> None:
    assert str(words("zh").count(value)) == zh
    assert str(words("en").count(value)) == en


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (None, "--", "--"),
        (0.0, "0.0 秒", "0.0 s"),
        (18.24, "18.2 秒", "18.2 s"),
        (246.4, "246 秒", "246 s"),
        (1002, "16.7 分钟", "16.7 min"),
    ],
)
def test_spans(seconds: float | None, zh: str, en: str) -> None:
    assert str(words("zh").span(seconds)) == zh
    assert str(words("en").span(seconds)) == en


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "--"),
        (0.8531, "85.3%"),
        (0.8, "80.0%"),
        (0.7996, "79.96%"),
        (0.79996, "79.996%"),
        (0.9997, "99.97%"),
        (1.0, "100.0%"),
        (0.0, "0.0%"),
        (0.0003, "0.03%"),
    ],
)
def test_a_ratio_is_never_rounded_onto_its_target(value: float | None, shown: str) -> None:
    assert str(words().value(metric("service_level_20s"), value)) == shown


@pytest.mark.parametrize(
    ("name", "now", "before", "zh", "en"),
    [
        ("service_level_20s", 0.812, 0.8, "+1.2 个百分点", "+1.2 pp"),
        ("service_level_20s", 0.8, 0.812, "−1.2 个百分点", "−1.2 pp"),
        ("service_level_20s", 0.8, 0.80001, "0.0 个百分点", "0.0 pp"),
        ("asa", 25.0, 20.0, "+5.0 秒", "+5.0 s"),
        ("contacts", 110.0, 100.0, "+10.0%", "+10.0%"),
        ("contacts", 110.0, 0.0, "--", "--"),
        ("contacts", None, 100.0, "--", "--"),
    ],
)
def test_differences(name: str, now: float | None, before: float | None, zh: str, en: str) -> None:
    assert words("zh").difference(metric(name), now, before) == zh
    assert words("en").difference(metric(name), now, before) == en


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (-5, "0 秒前", "0 s ago"),
        (59, "59 秒前", "59 s ago"),
        (47 * 60, "47 分钟前", "47 min ago"),
        (9 * 3600 + 12 * 60, "9 小时 12 分前", "9 h 12 min ago"),
        (76 * 3600, "3 天 4 小时前", "3 d 4 h ago"),
    ],
)
def test_ages(seconds: int, zh: str, en: str) -> None:
    assert words("zh").age(NOW - timedelta(seconds=seconds), NOW) == zh
    assert words("en").age(NOW - timedelta(seconds=seconds), NOW) == en


def test_times_are_those_of_the_reporting_zone_and_carry_their_date_when_it_is_another() -> None:
    assert words().clock(NOW, NOW) == "18:23"
    assert words().clock(NOW - timedelta(days=1), NOW) == "11-20 18:23"
    assert words().clock(None) == DASH


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NaiveTime, match="2026-11-21"):
        words().clock(datetime(2026, 11, 21))  # noqa: DTZ001 - the naive time is what is tested


def test_targets_leave_out_zeros_that_say_nothing() -> None:
    assert str(words().limit(metric("service_level_20s"), 0.8)) == "80%"
    assert str(words().limit(metric("web_error_rate"), 0.005)) == "0.5%"
    assert str(words("en").limit(metric("asa"), 20)) == "20 s"


def test_reasons_name_what_their_arguments_stand_for() -> None:
    reason = "trust.source_lost|weibo|2026-11-21T10:00:00+00:00"
    assert words("zh").told(reason) == "微博自 18:00 起中断"
    assert words("en").told("trust.channel_missing|weibo") == "Weibo is not in this figure"


def test_a_reason_without_words_is_shown_as_it_is() -> None:
    assert words().told("fault.never_heard_of|x") == "fault.never_heard_of|x"


def test_an_unknown_key_of_our_own_is_loud() -> None:
    with pytest.raises(KeyError, match=r"no\.such\.key"):
        words()("no.such.key")


@pytest.mark.parametrize(("language", "told"), [("en", "n 603 (87.9% – 92.6%)"), ("zh", "n 603（87.9% – 92.6%）")])
def test_a_survey_shows_how_many_answered_and_the_interval_of_the_share(language: str, told: str) -> None:
    csat = Reading("csat", "15min", "100000", "", 546 / 603, 546, 603, 603, None, None, State.GOOD, Trust.SOUND)
    assert sample(metric("csat"), csat, words(language)) == told
    assert sample(metric("answer_rate"), csat, words("en")) == "n 603"


@pytest.mark.parametrize(
    ("name", "now", "before", "moved", "verdict"),
    [
        ("occupancy", 0.8920, 0.8923, "0.0 pp", "same"),
        ("occupancy", 0.8920, 0.8960, "-0.4 pp", "better"),
        ("answer_rate", 0.95, 0.94, "+1.0 pp", "better"),
        ("asa", 13.02, 13.0, "0.0 s", "same"),
        ("asa", 13.2, 13.0, "+0.2 s", "worse"),
    ],
)
def test_a_change_of_which_no_digit_shows_is_none(
    name: str, now: float, before: float, moved: str, verdict: str
) -> None:
    one = reading(name, now, before)
    told = change(metric(name), one, words("en"))
    assert (told[".change"].replace("−", "-"), told[".verb@data-judged"]) == (moved, verdict)


def reading(name: str, now: float, before: float) -> Reading:
    return Reading(name, "15min", "000000", "", now, now, 1.0, 1.0, before, NOW, State.GOOD, Trust.SOUND)
