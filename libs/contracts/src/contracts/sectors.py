"""The sectors of the economy: the sections of CBS's SBI 2008 (Eurostat's NACE Rev. 2), each under a code of our own.

A section's letter is no code of ours: the later edition (SBI 2025, NACE Rev. 2.1) gives most letters to other sections, and a
letter does not say which edition it is from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Sector = Literal[
    "agriculture",
    "mining",
    "industry",
    "energy",
    "water-and-waste",
    "construction",
    "trade",
    "transport",
    "hospitality",
    "information",
    "finance",
    "real-estate",
    "specialist-services",
    "business-support",
    "government",
    "education",
    "care",
    "culture-and-sport",
    "other-services",
    "households",
    "international",
]


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its letter in SBI 2008, and its name in Dutch (CBS) and English (Eurostat)."""

    letter: str
    nl: str
    en: str


SECTORS: Final[Mapping[Sector, Section]] = {
    "agriculture": Section("A", "Landbouw, bosbouw en visserij", "Agriculture, forestry and fishing"),
    "mining": Section("B", "Winning van delfstoffen", "Mining and quarrying"),
    "industry": Section("C", "Industrie", "Manufacturing"),
    "energy": Section("D", "Energievoorziening", "Electricity, gas, steam and air conditioning supply"),
    "water-and-waste": Section("E", "Waterbedrijven en afvalbeheer", "Water supply, sewerage and waste management"),
    "construction": Section("F", "Bouwnijverheid", "Construction"),
    "trade": Section("G", "Handel", "Wholesale and retail trade"),
    "transport": Section("H", "Vervoer en opslag", "Transportation and storage"),
    "hospitality": Section("I", "Horeca", "Accommodation and food service activities"),
    "information": Section("J", "Informatie en communicatie", "Information and communication"),
    "finance": Section("K", "Financiële dienstverlening", "Financial and insurance activities"),
    "real-estate": Section("L", "Verhuur en handel van onroerend goed", "Real estate activities"),
    "specialist-services": Section(
        "M", "Specialistische zakelijke diensten", "Professional, scientific and technical activities"
    ),
    "business-support": Section("N", "Verhuur en overige zakelijke diensten", "Administrative and support service activities"),
    "government": Section("O", "Openbaar bestuur en overheidsdiensten", "Public administration and defence"),
    "education": Section("P", "Onderwijs", "Education"),
    "care": Section("Q", "Gezondheids- en welzijnszorg", "Human health and social work activities"),
    "culture-and-sport": Section("R", "Cultuur, sport en recreatie", "Arts, entertainment and recreation"),
    "other-services": Section("S", "Overige dienstverlening", "Other service activities"),
    "households": Section("T", "Huishoudens", "Activities of households as employers"),
    "international": Section("U", "Extraterritoriale organisaties", "Activities of extraterritorial organisations"),
}
"""In the order of the sections; names are CBS's and Eurostat's, the long ones shortened."""
