"""``mirror:`` in an audience's YAML: what is wrong names file and key."""

from pathlib import Path

import pytest

from perennial.errors import PerennialError
from warehouse.audience_mirrors import check_mirrors


def audience(folder: Path, name: str, mirror: str) -> None:
    """Write an audience's YAML."""
    text = f"models:\n  - name: {name}\n    config: {{meta: {{mirror: {mirror}}}}}\n"
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def test_a_mirror_names_the_list_of_each_destination(tmp_path: Path) -> None:
    """Audiences without one are mirrored nowhere."""
    audience(tmp_path, "vip_customers", "{klaviyo: XyZ123}")
    (tmp_path / "others.yml").write_text("models:\n  - name: others\n", encoding="utf-8")
    assert check_mirrors(tmp_path) == {("klaviyo", "XyZ123"): "vip_customers"}


@pytest.mark.parametrize(
    ("mirror", "said"),
    [
        ("XyZ123", "config.meta.mirror is no mapping"),
        ("{klavio: XyZ123}", "config.meta.mirror.klavio: klavio is no destination with lists"),
        ("{klaviyo: 123}", "config.meta.mirror.klaviyo: 123 is no list id"),
        ("{klaviyo: 'a b'}", "config.meta.mirror.klaviyo: a b is no list id"),
    ],
)
def test_a_mirror_that_can_t_be_names_file_and_key(tmp_path: Path, mirror: str, said: str) -> None:
    """A typo stops the build before it begins, not a list later."""
    audience(tmp_path, "vip_customers", mirror)
    with pytest.raises(PerennialError) as raised:
        check_mirrors(tmp_path)
    assert f"dbt/models/audiences/vip_customers.yml: {said}" in raised.value.cause


def test_two_audiences_do_not_share_a_list(tmp_path: Path) -> None:
    """Each would take the other's members off it."""
    audience(tmp_path, "gold_members", "{klaviyo: XyZ123}")
    audience(tmp_path, "vip_customers", "{klaviyo: XyZ123}")
    with pytest.raises(PerennialError, match="mirrors the audience gold_members already"):
        check_mirrors(tmp_path)
