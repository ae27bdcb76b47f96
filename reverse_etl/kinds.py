"""What a row of the ledger is: an enrollment, or something else that a destination is told once.

``marketing``, ``transactional``   an enrollment
``order``                          an order for the till
``exit``                           an accepted enrollment has ended
``opt_out``                        an address was closed: told first of all
"""

from typing import Final, Literal

Kind = Literal["marketing", "transactional", "order", "exit", "opt_out"]
ORDER: Final = "order"
EXIT: Final = "exit"
OPT_OUT: Final = "opt_out"

# To be told these twice does no harm anywhere, to be told never does: an unknown outcome is tried again.
NOTICES: Final = (EXIT, OPT_OUT)
