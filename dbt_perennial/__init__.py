"""A dbt plugin: tells dbt which flows and audiences exist, so that none has to be registered.

dbt loads every importable package named ``dbt_*`` and starts the classes in ``plugins`` before it parses a project.
The names go into the invocation's environment, where ``env_var('PERENNIAL_FLOWS')`` finds them (``flow_models()`` and
``audience_models()`` in ``dbt/macros/registry``); dbt parses the models that use them again when a name comes or goes.
"""

from pathlib import Path
from typing import cast

from dbt.plugins.manager import dbtPlugin
from dbt_common.context import get_invocation_context

MODELS = Path(__file__).parents[1] / "dbt" / "models"


def model_names(folder: str) -> list[str]:
    """Return the models of one folder under ``dbt/models``, in order of name."""
    return sorted(path.stem for path in (MODELS / folder).glob("**/*.sql"))


class ModelRegistry(dbtPlugin):
    """Puts the names of the flows and audiences into dbt's environment."""

    def initialize(self) -> None:
        """Look at the folders once an invocation; reading two folders costs well under a millisecond."""
        # declared as a mapping that is only read, made as the dict that `env_var` looks into
        environment = cast("dict[str, str]", get_invocation_context().env)
        environment["PERENNIAL_FLOWS"] = ",".join(model_names("flows"))
        environment["PERENNIAL_AUDIENCES"] = ",".join(model_names("audiences"))


plugins = [ModelRegistry]
