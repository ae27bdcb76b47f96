"""What Perennial itself lands: read by the models, made by the builder and the push."""

import dagster as dg

from dagster_project.lib.keys import DEPLOYMENTS, FLOW_SETTINGS, LANDED_BATCHES, SALT, SWITCHES
from dagster_project.lib.streams import stream_key
from perennial.streams import OWN


@dg.definitions
def own_streams() -> dg.Definitions:
    """Describe the streams; nothing materialises them as such, or the graph would bite its own tail."""
    return dg.Definitions(
        assets=[
            dg.AssetSpec(key=stream_key(name), description=own.holds, group_name="landing", kinds={"parquet"})
            for name, own in OWN.items()
        ]
        + [
            dg.AssetSpec(
                key=FLOW_SETTINGS,
                description="What the YAML beside each flow says, written by the builder before each build.",
                group_name="flows",
            ),
            dg.AssetSpec(
                key=DEPLOYMENTS,
                description="Which state of the project is deployed, and since when; noted by the builder.",
                group_name="flows",
            ),
            dg.AssetSpec(
                key=LANDED_BATCHES,
                description="How many rows of which stream each batch has, as the manifest says; noted by the builder.",
                group_name="landing",
            ),
            dg.AssetSpec(
                key=SALT,
                description="The home's salt, with which erasures are hashed; written by the builder, never published.",
                group_name="identity",
            ),
            dg.AssetSpec(
                key=SWITCHES,
                description="Which settings that decide about what leaves are on, written before each build.",
                group_name="activation",
            ),
        ]
    )
