"""Places of the nation: its served cities with the share of customers each has, and the centres that answer them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.catalogue import Level, Region
from simulator.chance import Chance, Choice

CAPITAL_LEAD = {"municipal_district": 0.3}
"""Cities are weighted by their place in the list of their province, the capital first; districts differ less."""
USUAL_LEAD = 0.75


@dataclass(frozen=True, eq=False)
class City:
    """A city or district and its weight, in people."""

    code: str
    province: str
    weight: float


@dataclass(frozen=True, eq=False)
class Centre:
    """A seat centre, where it stands, the share of the nation's customers that it answers, and its seats."""

    code: str
    province: str
    share: float
    seats_built: int


class Nation:
    """The served cities, the centres, and who answers whom."""

    def __init__(self, cities: tuple[City, ...], regions: Mapping[str, Region]) -> None:
        """Regions must hold at least one centre for every city; raises Unanswered otherwise."""
        self.cities = cities
        self.provinces = tuple(dict.fromkeys(city.province for city in cities))
        self.population = {code: regions[code].population or 0 for code in self.provinces}
        centres = [region for region in regions.values() if region.level is Level.CENTRE]
        answering = {city: _answering(city, centres) for city in cities}
        self.centres = {region.code: _centre(region, regions, answering) for region in centres}
        self.answering = {
            city.code: tuple(self.centres[region.code] for region in found) for city, found in answering.items()
        }
        self._anywhere = Choice({city: city.weight for city in cities})
        self._within = {code: Choice(self._weights(code)) for code in self.provinces}
        total = sum(city.weight for city in cities)
        self.share = {code: sum(self._weights(code).values()) / total for code in self.provinces}
        """Province -> part of the nation's customers who live there."""

    def somewhere(self, chance: Chance, province: str = "") -> City:
        """A city drawn by its people, from the whole nation or one province."""
        return (self._within[province] if province else self._anywhere).draw(chance)

    def _weights(self, province: str) -> dict[City, float]:
        return {city: city.weight for city in self.cities if city.province == province}


class Unanswered(ValueError):
    """A served city has no seat centre."""


def nation_of(regions: Mapping[str, Region]) -> Nation:
    """Build the nation from the catalogue's regions; raises Unanswered for a city without a centre."""
    provinces = [region for region in regions.values() if region.level is Level.PROVINCE and region.served]
    cities = [city for province in provinces for city in _cities(province, regions.values())]
    return Nation(tuple(cities), regions)


def _cities(province: Region, regions: Iterable[Region]) -> list[City]:
    inside = [
        region for region in regions if region.parent == province.code and region.level is Level.CITY and region.served
    ]
    parts = [(rank + 1) ** -CAPITAL_LEAD.get(region.kind, USUAL_LEAD) for rank, region in enumerate(inside)]
    people = province.population or 0
    return [
        City(region.code, province.code, people * part / sum(parts)) for region, part in zip(inside, parts, strict=True)
    ]


def _answering(city: City, centres: list[Region]) -> list[Region]:
    """Centres that serve the city by name, else those that serve its province."""
    own = [centre for centre in centres if city.code in centre.serves]
    found = own or [centre for centre in centres if city.province in centre.serves]
    if not found:
        raise Unanswered(f"no seat centre serves city {city.code} or its province {city.province}: see centres.yaml")
    return found


def _centre(region: Region, regions: Mapping[str, Region], answering: Mapping[City, list[Region]]) -> Centre:
    total = sum(city.weight for city in answering)
    share = 0.0
    for city, centres in answering.items():
        seats = sum(centre.seats_built or 1 for centre in centres)
        if region in centres:
            share += city.weight / total * (region.seats_built or 1) / seats
    return Centre(region.code, _province(region, regions), share, region.seats_built or 0)


def _province(region: Region, regions: Mapping[str, Region]) -> str:
    at = region
    while at.level is not Level.PROVINCE and at.parent is not None:
        at = regions[at.parent]
    return at.code
