"""The compiled parts. Everything else about the package is in pyproject.toml."""

from setuptools import setup

setup(cffi_modules=["captures/build_capture.py:ffibuilder", "nic/build_core.py:ffibuilder"])
