"""What every contact ledger needs: contacts as digests of one length, and the measures that are not added up.

Each contact counts once, whatever the order, repetition or correction of its records:

1. A contact that the ledger holds in this or a newer revision is left as it is.
2. All earlier rows of the other contacts go, the new ones come; both touch keys.
3. Exactly the touched keys are summed again; a key without rows is removed.
"""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Kind


def digests(contacts: "pd.Series[str]", size: int) -> tuple[npt.NDArray[np.intp], list[bytes]]:
    """The digests of those contacts that occur, so many bytes each, and by row which one it is.

    Text of a source may hold half a surrogate pair, which is kept as it stands.
    """
    positions, labels = pd.factorize(contacts)
    texts = (str(label).encode("utf-8", "surrogatepass") for label in labels)
    return positions, [blake2b(text, digest_size=size).digest() for text in texts]


def peak_measures(catalogue: Catalogue) -> list[str]:
    """Measures of which a key keeps the largest part instead of the sum."""
    return [measure.id for measure in catalogue.measures.values() if measure.kind is Kind.PEAK]
