"""The sources of a catalogue as rows of a table: key `channel/source`, and the name that people know."""

from config.catalogue import Catalogue
from wording.words import Words


def source_names(catalogue: Catalogue, words: Words) -> dict[str, str]:
    """Names by key: the channel's, and the source's own id where the channel has several."""
    rows = {}
    for channel in catalogue.channels.values():
        for source in channel.sources:
            name = words.of(channel.short)
            rows[f"{channel.id}/{source.id}"] = name if len(channel.sources) == 1 else f"{name} · {source.id}"
    return rows
