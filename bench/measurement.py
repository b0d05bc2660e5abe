"""What a bench says: one JSON object a line."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Measurement:
    """A figure of ours, and where there is one the same figure of a peer, measured in the same run."""

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    note: str = ""

    def line(self) -> str:
        """As JSON, with `ratio`: ours by the peer's."""
        ratio = None if not self.peer else round(self.ours / self.peer, 4)
        told = asdict(self) | {"ratio": ratio}
        order = ("name", "unit", "ours", "peer", "peer_name", "ratio", "note")
        return json.dumps({name: told[name] for name in order}, ensure_ascii=False)


def quantile(values: list[float], share: float) -> float:
    """The value below which a share of them lies, to a tenth."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)
