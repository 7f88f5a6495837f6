"""A kernel as an argument of another kernel, in a form that numba's cache can keep.

A dispatcher given as an argument becomes a pointer to a Python object in the machine code, and such
code is not cached: every start would compile the loop again. `KernelRef` stands for the dispatcher
in its type alone. The call is direct (and inlined), the value passed is nothing.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.imputils import lower_constant
from numba.extending import models, register_model, typeof_impl

import nic.kernelcache  # noqa: F401 - names numba's cache folder


class KernelRef:
    """`KernelRef(kernel)`, kept in a module's global, can be passed to kernels and called there."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.numba_type = KernelRefType(types.Dispatcher(kernel))


class KernelRefType(types.Callable, types.Dummy):  # type: ignore[misc]
    """The numba type of one KernelRef: calls resolve to its kernel."""

    def __init__(self, target: Any) -> None:
        self.target = target
        super().__init__(f"KernelRef({target.name})")

    @property
    def key(self) -> Any:
        return self.target

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        return self.target.get_call_type(context, args, kws)

    def get_call_signatures(self) -> Any:
        return self.target.get_call_signatures()

    def get_impl_key(self, sig: Any) -> Any:
        return self.target.get_impl_key(sig)


register_model(KernelRefType)(models.OpaqueModel)


@typeof_impl.register(KernelRef)
def _typeof(value: KernelRef, _context: Any) -> Any:
    return value.numba_type


@lower_constant(KernelRefType)
def _constant(_context: Any, _builder: Any, _kind: Any, _value: KernelRef) -> Any:
    return ir.Constant(ir.IntType(8).as_pointer(), None)


def address_of(kernel: Any, signature: tuple[Any, ...]) -> int:
    """Address of a kernel as a C function, for `nic.call.call_kernel`; compiled if it is not yet.

    The kernel must be kept as long as the address is in use.
    """
    kernel.compile(signature)
    result = kernel.overloads[signature]
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))
