"""The table of contributions in the making."""

import numpy as np

from collectors.shared.contributions import Coded, ContributionTable, dimension_keys
from metrics.observations import CONTRIBUTION_COLUMNS


def test_nothing_new_in_a_file_is_an_empty_table_also_where_only_some_measures_have_dimensions() -> None:
    nothing, none = np.zeros(0, dtype=np.intp), np.zeros(0)
    table = ContributionTable([], Coded.same("440100", 0), np.zeros(0, dtype=np.int64))
    table.add("contacts", nothing, dimension_keys({"service_type": Coded.of([])}, 0), none)
    table.add("web_requests", nothing, Coded.same("", 0), none)
    frame = table.frame()
    assert (len(frame), tuple(frame.columns)) == (0, CONTRIBUTION_COLUMNS)
