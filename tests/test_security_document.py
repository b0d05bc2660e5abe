"""`docs/security.md` is true: every test that it names exists, and its bounds are those of the code."""

import re

from collectors.push import Options
from collectors.push.allowance import AT_ONCE
from collectors.push.body import READ_S
from collectors.shared.regular_files import LARGEST_EXPANDED, LARGEST_RATIO
from config.settings import ROOT
from dashboards.access.sign_in import FORM_S, LONGEST_FORM, MOST_FIELDS
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
    for said in (
        f"{options['body_bytes'] // 2**20} MiB before and after gzip, {options['records']:,} records",
        f"arrives within {READ_S:.0f} s",
        f"{options['pushes_per_minute']} a minute and {AT_ONCE} at once",
        f"not older than {options['oldest_days']} days",
        f"{Stream().entries:,} bodies, {Stream().bytes // 2**20} MiB",
        f"{LARGEST_EXPANDED // 2**30} GiB, {LARGEST_RATIO} times",
        f"{LONGEST_FORM // 1024} KiB, {MOST_FIELDS} fields, {FORM_S:.0f} s, {Executors().passwords.threads} passwords",
        f"{Screens().streams:,} screens, {Screens().views:,} views",
    ):
        assert said in TEXT, said
