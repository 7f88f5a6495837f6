"""The compiled parts. Everything else about the package is in pyproject.toml.

Two extensions are needed, and only a C compiler is needed for them. The backends that want more of
the machine (see nic/build_optional.py) are built where it is there; none of them may keep the
package from being installed.
"""

import sys
from pathlib import Path

from setuptools import setup

sys.path.insert(0, str(Path(__file__).parent))  # isolated builds do not have it

from nic.tuning.backends import OPTIONAL_BACKENDS

MODULES = ["captures/build_capture.py:ffibuilder", "nic/build_core.py:ffibuilder"]
for name, unbuildable in OPTIONAL_BACKENDS.items():
    if unbuildable(Path("/")) is None:
        MODULES.append(f"nic/build_{name}.py:ffibuilder")

setup(
    cffi_modules=MODULES,
    options={"bdist_wheel": {"py_limited_api": "cp311"}},  # one wheel for CPython 3.11 and later
)
