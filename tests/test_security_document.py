"""`docs/security.md` is true: every test that it names exists, and its bounds are those of the code."""

import re

from collectors.push import Options
from collectors.push.allowance import AT_ONCE
from collectors.push.body import READ_S
from collectors.shared.regular_files import LARGEST_EXPANDED, LARGEST_RATIO
from config.loading import load
from config.settings import ROOT
from dashboards.access.sign_in import FORM_S, LONGEST_FORM, MOST_FIELDS
from dashboards.api.parameters import MOST_ROWS
from dashboards.executors import Executors
from dashboards.live.hub import Limits as Screens
from store.ingest.stream import Limits as Stream

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`([\w/]+/test_\w+\.py)(?:::(\w+))?`((?:, `…::\w+`)*)", TEXT)
    assert len(named) > 15
    for file, first, further in named:
        content = (ROOT / "tests" / file).read_text(encoding="utf-8")
        for test in filter(None, [first, *re.findall(r"…::(\w+)", further)]):
            assert f"def {test}(" in content, f"{file}::{test}"


def test_the_bounds_are_those_of_the_code() -> None:
    options = {name: field.default for name, field in Options.model_fields.items()}
    questions = Executors().questions
    for said in (
        f"{options['body_bytes'] // 2**20} MiB before and after gzip, {options['records']:,} records",
        f"arrives within {READ_S:.0f} s",
        f"{options['pushes_per_minute']} a minute and {AT_ONCE} at once",
        f"not older than {options['oldest_days']} days",
        f"{Stream().entries:,} bodies, {Stream().bytes // 2**20} MiB",
        f"{LARGEST_EXPANDED // 2**30} GiB, {LARGEST_RATIO} times",
        f"{LONGEST_FORM // 1024} KiB, {MOST_FIELDS} fields, {FORM_S:.0f} s, {Executors().passwords.threads} passwords",
        f"{MOST_ROWS:,} rows a page, 100 values of a parameter, "
        f"{questions.threads} requests at once and {questions.waiting} that wait",
        f"{Screens().streams:,} screens, {Screens().views:,} views",
    ):
        assert said in TEXT, said


def test_the_roles_and_whom_they_are_for_are_those_of_the_catalogue() -> None:
    said = re.findall(r"^\| (\w+) \| ((?:nation|province)(?:, province)?) \| .* \|$", TEXT, re.MULTILINE)
    assert said == [(role.id, ", ".join(role.levels)) for role in load().roles.values()]
