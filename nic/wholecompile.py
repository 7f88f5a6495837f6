"""Kernels are optimised once, as part of the one that Python calls, not again in each caller.

numba makes every kernel ready to be called from Python, and optimises and emits with it all that it
calls. In a tree of kernels the leaves are so compiled again at each level: most of the time that a
loop takes to compile. Here a kernel that is compiled because another calls it is only lowered; the
one at the top is optimised whole and emitted. Called from Python later, a kernel of the tree is
compiled again, then in full; so the machine code is much the same (decoders differ by a tenth
either way: registers and layout), with fewer copies on the way.

This reaches into numba. A test compiles a tree and looks that both ways still lead to the same
results; where numba no longer has what is replaced here, importing this module fails.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import llvmlite.binding as llvm
from numba.core import caching, codegen, compiler_lock, cpu
from numba.core import dispatcher as numba_dispatcher
from numba.core.ccallback import CFunc

dispatcher: Any = numba_dispatcher  # what is replaced is not numba's public face

TOP: Final = 1


class Lowered:
    """Stands for the entry point of a kernel that was lowered as part of another."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Depth:
    """How many kernels are being compiled, each because of the one before."""

    now = 0


def _deeper(method: Any) -> Any:
    """A method that compiles, counted."""

    @functools.wraps(method)
    def counted(self: Any, *args: Any, **more: Any) -> Any:
        with compiler_lock.global_compiler_lock:
            _Depth.now += 1
            try:
                return method(self, *args, **more)
            finally:
                _Depth.now -= 1

    return counted


def _install_dispatcher() -> None:
    """A kernel that is only lowered is compiled anew when it is wanted at the top."""
    compile_any = dispatcher.Dispatcher.compile
    add_any = dispatcher.Dispatcher.add_overload

    def compile_at(self: Any, signature: Any) -> Any:
        if _Depth.now == TOP:
            lowered = [k for k, v in self.overloads.items() if isinstance(v.entry_point, Lowered)]
            for arguments in lowered:
                del self.overloads[arguments]
        return compile_any(self, signature)

    def add_overload(self: Any, result: Any) -> None:
        if isinstance(result.entry_point, Lowered):
            self.overloads[tuple(result.signature.args)] = result
        else:
            add_any(self, result)

    dispatcher.Dispatcher.compile = _deeper(compile_at)
    dispatcher.Dispatcher.add_overload = add_overload
    CFunc.compile = _deeper(CFunc.compile)  # type: ignore[method-assign]


def _install_compiler() -> None:
    """Below the top no wrappers are made for Python or C, and no machine code."""
    customize_any = dispatcher._FunctionCompiler._customize_flags
    executable_any = cpu.CPUContext.get_executable

    def customize_flags(self: Any, flags: Any) -> Any:
        if _Depth.now > TOP:
            flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        return customize_any(self, flags)

    def get_executable(self: Any, library: Any, fndesc: Any, env: Any) -> Any:
        if _Depth.now > TOP:
            library.is_part = True
            return Lowered(fndesc.qualname)
        return executable_any(self, library, fndesc, env)

    dispatcher._FunctionCompiler._customize_flags = customize_flags
    cpu.CPUContext.get_executable = get_executable


def _install_library() -> None:
    """The library of a part is linked, and left for the whole to optimise."""
    optimize_any = codegen.CPUCodeLibrary._optimize_final_module
    finalize_any = codegen.CPUCodeLibrary._finalize_final_module

    def optimize(self: Any) -> None:
        if not getattr(self, "is_part", False):
            optimize_any(self)

    def finalize(self: Any) -> None:
        if getattr(self, "is_part", False):
            self._finalize_dynamic_globals()
            self._finalized = True
        else:
            finalize_any(self)

    codegen.CPUCodeLibrary._optimize_final_module = optimize
    codegen.CPUCodeLibrary._finalize_final_module = finalize


def _install_cache() -> None:
    """What has no machine code is not kept."""
    save_any = caching.FunctionCache.save_overload

    def save_overload(self: Any, signature: Any, data: Any) -> None:
        if not isinstance(data.entry_point, Lowered):
            save_any(self, signature, data)

    caching.FunctionCache.save_overload = save_overload


def _forget_lock_timers() -> None:
    """Every call into LLVM tells each of the nested compilations that wait: a fifth of the time."""
    llvm.ffi.lib._lock._cblist.clear()


def install() -> None:
    """Replaces what is said above; once a process."""
    if getattr(dispatcher, "compiles_whole", False):
        return
    _install_dispatcher()
    _install_compiler()
    _install_library()
    _install_cache()
    _forget_lock_timers()
    dispatcher.compiles_whole = True


install()
