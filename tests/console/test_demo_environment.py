"""The demo sees the sandbox's credentials and nothing of the caller's."""

from pathlib import Path

from console.demo.environment import DEFAULT_PORTS, demo_environment, free_port
from perennial.settings import Settings


def test_nothing_of_a_real_installation_reaches_the_demo(tmp_path: Path) -> None:
    """Vendor settings, Dagster's home, dbt's target and proxies of the shell stay out; the rest stays in."""
    inherited = {
        **{name.upper(): "of the real installation" for name in Settings.model_fields},
        "DAGSTER_HOME": "/real",
        "DBT_TARGET": "production",
        "HTTPS_PROXY": "http://192.0.2.1:3128",
        "https_proxy": "http://192.0.2.1:3128",
        "FLOWHUB_SOMETHING_NEW": "real",
        "PATH": "/bin",
        "LANG": "C.UTF-8",
    }
    made = demo_environment(inherited, tmp_path, DEFAULT_PORTS)
    outside = {name: value.replace(str(tmp_path), "") for name, value in made.items()}
    assert [name for name, value in outside.items() if "real" in value.casefold()] == []
    assert not any("192.0.2.1" in value for value in made.values())
    assert (made["PATH"], made["LANG"]) == ("/bin", "C.UTF-8")


def test_every_vendor_of_the_demo_is_on_this_machine(tmp_path: Path) -> None:
    """All addresses are loopback, files are dropped in the home, and the clock is the sandbox's."""
    made = demo_environment({}, tmp_path, DEFAULT_PORTS)
    assert made.pop("CSV_DROP_URL").startswith(str(tmp_path))
    addresses = [value for name, value in made.items() if name.endswith("_URL") and value]
    assert addresses
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)
    assert made["PERENNIAL_CLOCK"] == "sandbox"


def test_a_free_port_is_not_the_taken_one() -> None:
    """Two demos on one machine don't fight for a port."""
    first = free_port()
    assert 1024 <= first <= 65535
    assert free_port(first) == first
