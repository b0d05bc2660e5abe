"""Times as whole seconds since 1970 and back."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.observations import NaiveTime


def second(moment: datetime) -> int:
    """The whole second that holds a moment; raises NaiveTime."""
    if moment.tzinfo is None:
        raise NaiveTime(f"{moment.isoformat()} in a question to the history has no time zone")
    return int(moment.timestamp() // 1)


def second_from(moment: datetime) -> int:
    """The first whole second at or after a moment: a bound for starts, which are whole; raises NaiveTime."""
    return second(moment) + (moment.microsecond > 0)


def moment(second: int) -> datetime:
    """A second as the moment at which it begins."""
    return datetime.fromtimestamp(second, UTC)


def moments(seconds: npt.NDArray[np.integer]) -> pd.DatetimeIndex:
    """Seconds as datetime64[s, UTC]."""
    return pd.DatetimeIndex(np.asarray(seconds, dtype=np.int64), dtype=pd.DatetimeTZDtype("s", "UTC"))
