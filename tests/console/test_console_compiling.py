"""Compiling ends on Ctrl-C even where what a signal handler raises would be lost."""

import signal

import pytest

from console.compiling import Kernel, compile_all


class Dispatcher:
    """Stands for a kernel in whose compilation a signal comes."""

    def __init__(self, number=None):
        self.number, self.compiled = number, False

    def compile(self, _signature):
        if self.number is not None:
            signal.raise_signal(self.number)  # LLVM's callbacks swallow what is raised here
        self.compiled = True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_compiling_ends_the_command(number):
    before = signal.getsignal(number)
    first, second = Dispatcher(number), Dispatcher()
    with pytest.raises(KeyboardInterrupt):
        compile_all([Kernel("first", first, ())])
    assert signal.getsignal(number) is before
    assert first.compiled
    assert compile_all([Kernel("second", second, ())])[0].label == "second"
    assert second.compiled
