"""The credentials of the sandbox's vendors: constants, good on loopback only.

``make run`` and ``make dev`` start every process with :func:`sandbox_environment` and nothing else, so that
no setting of a real installation reaches the demo.
"""

from pathlib import Path

FLOWHUB_CLIENT_ID = "5b7f2d1e-3c0a-4c55-9d0e-7a1f0c9e4d21"
FLOWHUB_API_KEY = "sandbox-flowhub-key"
FLOWHUB_ORDER_AHEAD_CLIENT_ID = "sandbox-order-ahead"
FLOWHUB_ORDER_AHEAD_TOKEN = "sandbox-order-ahead-token"  # noqa: S105 - opens nothing but the sandbox

JANE_WEBHOOK_TOKEN = "sandbox-jane-token"  # noqa: S105 - opens nothing but the sandbox
JANE_SIGNING_SECRET = "sandbox-jane-signing-secret"  # noqa: S105 - opens nothing but the sandbox
OMNI_SHARED_SECRET = "sandbox-omni-secret"  # noqa: S105 - opens nothing but the sandbox
SHOPIFY_CLIENT_SECRET = "sandbox-shopify-secret"  # noqa: S105 - opens nothing but the sandbox
SHOPIFY_SHOP_DOMAIN = "high-mesa-demo.myshopify.com"
MESSAGING_WEBHOOK_SECRET = "sandbox-messaging-secret"  # noqa: S105 - opens nothing but the sandbox
PARTNER_KEYS = {"storefront": "sandbox-storefront-key", "greeter": "sandbox-greeter-key"}

AIQ_API_KEY = "sandbox-aiq-key"
AIQ_INTEGRATOR_SLUG = "perennial_sandbox"
KLAVIYO_API_KEY = "pk_sandbox_perennial"
KLAVIYO_READ_API_KEY = "pk_sandbox_omni_read"
KLAVIYO_SUPPRESSION_API_KEY = "pk_sandbox_suppression"
WEBHOOK_SIGNING_SECRET = "whsec_c2FuZGJveC13ZWJob29rLXNpZ25pbmctc2VjcmV0"  # noqa: S105 - as above

LOOPBACK = "127.0.0.1"


def sandbox_environment(home: Path, sandbox_port: int, receiver_port: int) -> dict[str, str]:
    """Return every environment variable of the demo.

    Settings that the demo doesn't need are there with an empty value, which counts as not set, so that a
    value inherited from the caller's shell can't leak in.
    """
    vendors = f"http://{LOOPBACK}:{sandbox_port}"
    return {
        "PERENNIAL_HOME": str(home),
        "PERENNIAL_TIMEZONE": "America/Denver",
        "PERENNIAL_TARGET": "duckdb",
        "PERENNIAL_LANDING_URL": "",
        "PERENNIAL_LEDGER_URL": "",
        "PERENNIAL_CLOCK": "sandbox",
        "PERENNIAL_HOST": LOOPBACK,
        "PERENNIAL_SANDBOX_PORT": str(sandbox_port),
        "PERENNIAL_RECEIVER_PORT": str(receiver_port),
        "POINTS_EXPIRING_DAYS": "30",
        "CART_ABANDONED_AFTER_MINUTES": "30",
        "IDENTITY_DEVICES_MERGE": "false",
        "IDENTITY_MAX_RECORDS": "60",
        "IDENTITY_MAX_ABSORBED": "1000",
        "FLOWHUB_ENABLED": "true",
        "FLOWHUB_BASE_URL": f"{vendors}/flowhub",
        "FLOWHUB_AUTH_URL": f"{vendors}/flowhub",
        "FLOWHUB_AUTH_AUDIENCE": f"{vendors}/flowhub",
        "FLOWHUB_CLIENT_ID": FLOWHUB_CLIENT_ID,
        "FLOWHUB_API_KEY": FLOWHUB_API_KEY,
        "FLOWHUB_LOCATION_ID": "",
        "FLOWHUB_ORDER_AHEAD_CLIENT_ID": FLOWHUB_ORDER_AHEAD_CLIENT_ID,
        "FLOWHUB_ORDER_AHEAD_TOKEN": FLOWHUB_ORDER_AHEAD_TOKEN,
        "FLOWHUB_ROOM_IDS": "",
        "FLOWHUB_PURCHASE_CATEGORIES": "",
        "FLOWHUB_ORDER_AMOUNT_UNIT": "dollars",
        "FLOWHUB_MAP_CUSTOM_CATEGORY_TO_SUB_CATEGORY": "false",
        "FLOWHUB_SYNC_ORDERS": "false",
        "FLOWHUB_MAUI": "true",
        "JANE_ENABLED": "true",
        "JANE_WEBHOOK_TOKEN": JANE_WEBHOOK_TOKEN,
        "JANE_SIGNING_SECRET": JANE_SIGNING_SECRET,
        "JANE_SIGNING_SECRET_PREVIOUS": "",
        "JANE_TIMEZONE": "UTC",
        "OMNI_ENABLED": "true",
        "OMNI_SHARED_SECRET": OMNI_SHARED_SECRET,
        "OMNI_KLAVIYO_API_KEY": KLAVIYO_READ_API_KEY,
        "SHOPIFY_CLIENT_SECRET": SHOPIFY_CLIENT_SECRET,
        "PARTNER_API_KEYS": ",".join(f"{name}:{key}" for name, key in PARTNER_KEYS.items()),
        "MESSAGING_WEBHOOK_SECRET": MESSAGING_WEBHOOK_SECRET,
        "AIQ_BASE_URL": f"{vendors}/aiq",
        "AIQ_API_KEY": AIQ_API_KEY,
        "AIQ_INTEGRATOR_SLUG": AIQ_INTEGRATOR_SLUG,
        "KLAVIYO_BASE_URL": f"{vendors}/klaviyo",
        "KLAVIYO_API_KEY": KLAVIYO_API_KEY,
        "KLAVIYO_SUPPRESSION_API_KEY": KLAVIYO_SUPPRESSION_API_KEY,
        "WEBHOOK_URL": f"{vendors}/webhook/events",
        "WEBHOOK_SIGNING_SECRET": WEBHOOK_SIGNING_SECRET,
        "WEBHOOK_SIGNING_SECRET_PREVIOUS": "",
        "WEBHOOK_CALLS_PER_SECOND": "100",
        "WEBHOOK_ROWS_A_CALL": "1",
        "CSV_DROP_URL": str(home / "sandbox" / "drop"),
        "ALERT_WEBHOOK_URL": "",
        "ALERT_EMAIL_TO": "",
        "ALERT_EMAIL_FROM": "",
        "SMTP_URL": "",
    }
