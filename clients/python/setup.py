"""Adds the registry's stubs to the package while it is built, from the protos that the package's folder lies beside."""

import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py

_PROTOS = pathlib.Path(__file__).parents[2] / "protos"
_FILES = ("compat/v1/waiver", "routing/v1/routing", "registry/v1/backup", "registry/v1/audit", "registry/v1/watch", "registry/v1/registry")


class BuildWithStubs(build_py):
    def run(self):
        super().run()
        from grpc_tools import command, protoc  # only there while the package is built
        well_known = pathlib.Path(command.__file__).parent / "_proto"
        arguments = ["protoc", f"-I{_PROTOS}", f"-I{well_known}", f"--python_out={self.build_lib}", f"--pyi_out={self.build_lib}",
                     f"--grpc_python_out={self.build_lib}", *(f"pinion/{name}.proto" for name in _FILES)]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"protoc failed on {_PROTOS}")


setup(cmdclass={"build_py": BuildWithStubs})
