"""What contacts leave in a dimension so that percentiles and numbers of people can be read off their counts."""

import math

from collectors.contact_log.cells import Numbers
from collectors.contact_log.options import Customer
from collectors.shared.contributions import Coded
from collectors.shared.pseudonyms import pseudonym
from metrics.distinct import mark_of
from metrics.percentiles import band_of


def bands(column: Coded, numbers: Numbers, accuracy: float) -> Coded:
    """The band of each record's number; '' where it has none."""
    return Coded.merged(
        column.codes, ["" if math.isnan(number) else band_of(float(number), accuracy) for number in numbers]
    )


def marks(column: Coded, customer: Customer, key: bytes) -> Coded:
    """The mark of each record's customer; '' for nobody."""
    texts = ["" if text in customer.nobody else mark_of(pseudonym(key, text)) for text in column.texts]
    return Coded.merged(column.codes, texts)
