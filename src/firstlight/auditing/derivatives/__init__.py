"""On request: the tangent kernel of a network and its Jacobian by the input."""

from firstlight.auditing.derivatives.jacobian import InputJacobian, input_jacobian
from firstlight.auditing.derivatives.kernel import TangentKernel, tangent_kernel

__all__ = ["InputJacobian", "TangentKernel", "input_jacobian", "tangent_kernel"]
