"""What a destination may use is what the seed allows it: one list for the analyst and for the code."""

import pkgutil
from importlib import import_module

from reverse_etl import destinations
from warehouse.flow_settings import channel_rules
from warehouse.project import PROJECT


def used_channels() -> dict[str, set[str]]:
    """Return the channels of each class of destinations, by the name that decisions use for it."""
    found: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(destinations.__path__):
        for thing in vars(import_module(f"{destinations.__name__}.{module.name}")).values():
            name, channels = getattr(thing, "name", None), getattr(thing, "channels", None)
            if isinstance(thing, type) and isinstance(name, str) and channels is not None:
                found[name] = set(channels)
    return found


def test_a_destination_uses_the_channels_that_the_seed_allows_it() -> None:
    """No more, whoever changes one of them; the till is told of orders and writes to nobody."""
    used = used_channels()
    assert used["flowhub"] == set()
    assert used["klaviyo"] == {"email"}, "SMS about cannabis never goes there"
    rules = channel_rules(PROJECT)
    for name, channels in used.items():
        assert channels == {by for (to, by), rule in rules.items() if to == name and rule.is_allowed}, name
    assert not rules["twilio", "sms"].is_allowed
