"""What numbers mean: pure functions and nouns; no clock, no input or output, no Dash."""

import pandas as pd

# Text in frames is kept one way, whether or not pyarrow happens to be installed: nothing here needs it.
pd.set_option("mode.string_storage", "python")
