"""The compiled parts. Everything else about the package is in pyproject.toml.

Both extensions are needed, and only a C compiler is needed for them. Backends that want a library
of their own (DPDK, ef_vi) will come as further extensions, built only where the library is found:
none of them may keep the package from being installed.
"""

from setuptools import setup

setup(
    cffi_modules=["captures/build_capture.py:ffibuilder", "nic/build_core.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},  # one wheel for CPython 3.11 and later
)
