"""How far each source has come: the latest interval that it brought."""

from typing import Any

import pandas as pd

from store.facts.shared.seconds import moments


def as_frame(channels: Any, sources: Any, starts: Any, received: Any) -> pd.DataFrame:
    """Columns that an engine gave as `History.last_starts` gives them; starts and received in seconds since 1970."""
    names = {"channel": pd.Series(channels, dtype="str"), "source": pd.Series(sources, dtype="str")}
    return pd.DataFrame({**names, "start": moments(starts), "received_at": moments(received)})
