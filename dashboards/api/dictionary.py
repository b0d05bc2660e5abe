"""What exists, as lists: metrics, channels, regions and rules of the catalogue."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from config.actions import Action
from config.catalogue import Catalogue, Definition, Formula, Metric, Sketch
from dashboards.api.parameters import Parameters, Placed
from dashboards.api.resources import Found, Resource, Sight
from dashboards.api.tables import Column, columns

METRIC_COLUMNS = columns(
    "id kind name_zh name_en meaning_zh meaning_en unit better formula dimensions attribution collection valid_from",
    number="target warning band_low band_high",
    integer="frequency_s deadline_s minimum_n version",
)
CHANNEL_COLUMNS = columns("id name_zh name_en zone capabilities sources", integer="interval_s settle_s order")
REGION_COLUMNS = columns(
    "code parent level kind name_zh name_en", boolean="served", number="lon lat", integer="population seats_built"
)
RULE_COLUMNS = columns("id name_zh name_en severity limits book")


def _metrics(sight: Sight, _: Parameters) -> Found:
    catalogue = sight.catalogue
    known: Iterable[Metric | Sketch] = (*catalogue.metrics.values(), *catalogue.sketches.values())
    return _found((_metric(metric) for metric in known), METRIC_COLUMNS)


def _metric(metric: Metric | Sketch) -> dict[str, Any]:
    rule, owner = metric.data_rule, metric.ownership
    low, high = metric.band or (None, None)
    return _names(metric) | {
        "kind": "metric" if isinstance(metric, Metric) else "sketch",
        "unit": metric.unit,
        "better": metric.better,
        "target": metric.target,
        "warning": metric.warning,
        "band_low": low,
        "band_high": high,
        "formula": _formula(metric.formula)
        if isinstance(metric, Metric)
        else f"{metric.measure} by {metric.dimension}",
        "dimensions": " ".join(rule.dimensions),
        "attribution": metric.attribution,
        "collection": rule.collection,
        "frequency_s": rule.frequency_s,
        "deadline_s": rule.deadline_s,
        "minimum_n": rule.minimum_n,
        "version": owner.version,
        "valid_from": owner.valid_from.isoformat(),
    }


def _names(metric: Definition) -> dict[str, Any]:
    return {
        "id": metric.id,
        "name_zh": metric.name.zh,
        "name_en": metric.name.en,
        "meaning_zh": metric.meaning.zh,
        "meaning_en": metric.meaning.en,
    }


def _formula(formula: Formula) -> str:
    whole = f"({formula.numerator}) / ({formula.denominator})" if formula.denominator else formula.numerator
    return whole if formula.scale == 1 else f"{whole} * {formula.scale:g}"


def _channels(sight: Sight, _: Parameters) -> Found:
    rows = (
        {
            "id": channel.id,
            "name_zh": channel.name.zh,
            "name_en": channel.name.en,
            "zone": channel.zone,
            "capabilities": " ".join(channel.capabilities),
            "sources": " ".join(source.id for source in channel.sources),
            "interval_s": channel.interval_s,
            "settle_s": channel.settle_s,
            "order": channel.order,
        }
        for channel in sight.catalogue.channels.values()
    )
    return _found(rows, CHANNEL_COLUMNS)


def _regions(sight: Sight, asked: Placed) -> Found:
    rows = (
        region.model_dump(include={"code", "kind", "served", "lon", "lat", "population", "seats_built"})
        | {"parent": region.parent or "", "level": region.level.value}
        | {"name_zh": region.name.zh, "name_en": region.name.en}
        for region in (sight.catalogue.regions[code] for code in sight.places(asked.level))
    )
    return _found(rows, REGION_COLUMNS)


def _rules(sight: Sight, _: Parameters) -> Found:
    catalogue = sight.catalogue
    rows = (
        {
            "id": name,
            **_rule_names(catalogue, name),
            "severity": setting.severity,
            "limits": " ".join(f"{limit}={value:g}" for limit, value in setting.limits.items()),
            "book": catalogue.rules.version,
        }
        for name, setting in catalogue.rules.rules.items()
    )
    return _found(rows, RULE_COLUMNS)


def _rule_names(catalogue: Catalogue, rule: str) -> dict[str, str]:
    text = catalogue.words.get(f"rule.{rule}")
    return {"name_zh": text.zh if text else rule, "name_en": text.en if text else rule}


def _found(rows: Iterable[Mapping[str, Any]], known: tuple[Column, ...]) -> Found:
    return Found(pd.DataFrame(list(rows), columns=[column.name for column in known]))


RESOURCES = (
    Resource("metrics", Action.SEE_CATALOGUE, Parameters, METRIC_COLUMNS, ("id",), _metrics),
    Resource("channels", Action.SEE_CATALOGUE, Parameters, CHANNEL_COLUMNS, ("id",), _channels),
    Resource("regions", Action.SEE_CATALOGUE, Placed, REGION_COLUMNS, ("code",), _regions),
    Resource("rules", Action.SEE_CATALOGUE, Parameters, RULE_COLUMNS, ("id",), _rules),
)
