"""``perennial serve``: the receiver of webhooks."""

from console.homes import own_home
from console.output import err
from perennial.settings import load_settings


def serve() -> None:
    """Receive webhooks of Jane, OMNI, Shopify, partners and the messaging systems, until told to end."""
    from extractors.receiver.server import serve as receive

    settings = load_settings()
    own_home(settings)
    err.print(
        f"receiving on http://{settings.perennial_host}:{settings.perennial_receiver_port}", soft_wrap=True
    )
    receive(settings)
