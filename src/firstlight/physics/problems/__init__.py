"""The problems by name; one equation, one file."""

import hashlib
import sys
from pathlib import Path

from firstlight.errors import FirstlightError, OptionError
from firstlight.model.named import own
from firstlight.model.reason import reason
from firstlight.physics.problem import Problem, check_problem
from firstlight.physics.problems.allen_cahn import ALLEN_CAHN, ALLEN_CAHN_HARD
from firstlight.physics.problems.burgers import BURGERS
from firstlight.physics.problems.diffusion import DIFFUSION
from firstlight.physics.problems.heat import HEAT
from firstlight.physics.problems.helmholtz import HELMHOLTZ
from firstlight.physics.problems.kdv import KDV
from firstlight.physics.problems.poisson import POISSON_1D, POISSON_2D
from firstlight.physics.problems.wave import WAVE

#: Every problem by its name on the command line.
PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for problem in (
        BURGERS,
        ALLEN_CAHN,
        ALLEN_CAHN_HARD,
        KDV,
        DIFFUSION,
        HEAT,
        WAVE,
        POISSON_1D,
        POISSON_2D,
        HELMHOLTZ,
    )
}


def find_problem(name: str) -> Problem:
    """Return the problem called ``name``, or what a user's own ``module:factory`` returns.

    Raises:
        OptionError: no such problem, or the factory cannot be called or returns something else.

    Example:
        >>> from firstlight.physics.problems import find_problem
        >>> find_problem("poisson_1d").coordinates
        ('x',)
    """
    if name in PROBLEMS:
        return PROBLEMS[name]
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise OptionError(
            f"problem must be one of {', '.join(PROBLEMS)} or module:factory; got {name!r}"
        )
    make = own(module, attribute, "problem")
    try:
        return check_problem(make(), name)
    except FirstlightError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code, which may ask Python to exit
        raise OptionError(f"problem {name} cannot be made: {reason(error)}") from error


def fingerprint(name: str) -> str:
    """Return a hash of the file that module:factory is written in; "" for our own problems."""
    if name in PROBLEMS:
        return ""
    source = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    try:
        return hashlib.blake2b(Path(source or "").read_bytes(), digest_size=10).hexdigest()
    except OSError:  # as in a zip file
        return ""
