"""Conditions of the options over the columns of a table."""

import numpy as np
import numpy.typing as npt

from collectors.contact_log.cells import Numbers
from collectors.contact_log.options import Alternative, Condition, When
from collectors.contact_log.table import Table
from collectors.shared.contributions import Coded

Mask = npt.NDArray[np.bool_]


def holds(when: When, table: Table, numbers: dict[str, Numbers]) -> Mask:
    """Records for which one alternative holds; all of them where none is given.

    `numbers` are the typed values of a column's distinct texts.
    """
    if not when:
        return np.ones(len(table), dtype=bool)
    found = np.zeros(len(table), dtype=bool)
    for alternative in when:
        found |= alternative_holds(alternative, table, numbers)
    return found


def alternative_holds(alternative: Alternative, table: Table, numbers: dict[str, Numbers]) -> Mask:
    """Records whose columns all fulfil their conditions."""
    found = np.ones(len(table), dtype=bool)
    for name, condition in alternative.items():
        column = table.columns[name]
        found &= column.each(fulfils(condition, column, numbers.get(name)))
    return found


def fulfils(condition: Condition, column: Coded, numbers: Numbers | None) -> Mask:
    """Which distinct texts of a column fulfil a condition; an empty or unreadable cell fulfils no limit."""
    texts = column.texts
    found = np.ones(len(texts), dtype=bool)
    if condition.values:
        found &= np.array([text in condition.values for text in texts], dtype=bool)
    if condition.not_values:
        found &= np.array([text not in condition.not_values for text in texts], dtype=bool)
    if condition.present is not None:
        found &= np.array([(text != "") == condition.present for text in texts], dtype=bool)
    if numbers is not None and condition.at_least is not None:
        found &= numbers >= condition.at_least
    if numbers is not None and condition.at_most is not None:
        found &= numbers <= condition.at_most
    return found
