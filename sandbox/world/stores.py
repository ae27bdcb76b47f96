"""The shop's six locations; the 457 stores of The Complete Journey are mapped onto them."""

from dataclasses import dataclass

from sandbox.credentials import FLOWHUB_CLIENT_ID
from sandbox.world.ids import digest, uid

CLIENT_NAME = "High Mesa Cannabis"


@dataclass(frozen=True)
class Store:
    """A location, as Flowhub and Jane know it.

    ``anchor`` is a busy store of The Complete Journey that always becomes this location.
    """

    index: int
    anchor: int
    name: str
    street: str
    city: str
    zip_code: str
    jane_id: int
    licences: tuple[str, ...]

    @property
    def location_id(self) -> str:
        """Flowhub's id."""
        return uid("location", self.index)

    @property
    def import_id(self) -> str:
        """What the orders endpoint wants; it differs from the id at one location."""
        return uid("import", self.index) if self.index == _ODD_IMPORT_ID else self.location_id

    @property
    def rooms(self) -> tuple[tuple[str, str], ...]:
        """(room id of 32 letters and digits, name)."""
        return tuple((digest("room", self.index, name), name) for name in ("Sales Floor", "Vault"))

    def body(self) -> dict[str, object]:
        """Return the location object of the API."""
        return {
            "address": {
                "city": self.city,
                "country": "United States",
                "county": None,
                "state": "Colorado",
                "streetAddress1": self.street,
                "streetAddress2": None,
                "zip": self.zip_code,
            },
            "clientId": FLOWHUB_CLIENT_ID,
            "clientName": CLIENT_NAME,
            "email": f"{self.name.lower().replace(' ', '')}@highmesa.example.com",
            "hoursOfOperation": None,
            "importId": self.import_id,
            "licenseType": list(self.licences),
            "locationId": self.location_id,
            "locationLogoURL": None,
            "locationName": self.name,
            "phoneNumber": f"(303) 555-01{10 + self.index}",
            "timeZone": "US/Mountain",
            "website": "https://highmesa.example.com",
        }


_ODD_IMPORT_ID = 3
STORES = (
    Store(0, 367, "Colfax", "2500 E Colfax Ave", "Denver", "80206", 68, ("rec", "med")),
    Store(1, 406, "Baker", "410 S Broadway", "Denver", "80209", 71, ("rec",)),
    Store(2, 343, "Highlands", "3120 Tejon St", "Denver", "80211", 74, ("rec",)),
    Store(3, 361, "Pearl Street", "1800 Pearl St", "Boulder", "80302", 79, ("rec", "med")),
    Store(4, 381, "Havana", "1050 S Havana St", "Aurora", "80012", 83, ("rec",)),
    Store(5, 31782, "Wadsworth", "6200 W 38th Ave", "Wheat Ridge", "80033", 90, ("rec", "med")),
)
