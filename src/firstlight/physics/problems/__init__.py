"""The problems by name; one equation, one file."""

import sys

from firstlight.errors import FirstlightError, OptionError
from firstlight.model.named import own
from firstlight.model.reason import reason
from firstlight.physics.check_problem import check_problem
from firstlight.physics.problem import Problem
from firstlight.physics.problems.allen_cahn import ALLEN_CAHN, ALLEN_CAHN_HARD
from firstlight.physics.problems.burgers import BURGERS
from firstlight.physics.problems.diffusion import DIFFUSION
from firstlight.physics.problems.heat import HEAT
from firstlight.physics.problems.helmholtz import HELMHOLTZ
from firstlight.physics.problems.kdv import KDV
from firstlight.physics.problems.poisson import POISSON_1D, POISSON_2D
from firstlight.physics.problems.wave import WAVE
from firstlight.physics.source_hash import source_hash

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

    One's own is tried on a few points, and its reference computed.

    Raises:
        OptionError: no such problem, the factory cannot be called or returns something else, or a
            part of the problem raises or does not fit the others.

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
        made = make()
    except FirstlightError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code, which may ask Python to exit
        raise OptionError(f"problem {name} cannot be made: {reason(error)}") from error
    return check_problem(made, name)


def fingerprint(name: str) -> str:
    """Return a hash of the code that module:factory stands for; "" for our own problems.

    It tells runs of one version of a problem from those of another; ``source_hash`` says which
    files it sees.
    """
    if name in PROBLEMS:
        return ""
    return source_hash(sys.modules.get(name.partition(":")[0]))
