"""Adds the registry's stubs to the package while it is built, from the protos that the package's folder lies beside."""

import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py

_PROTOS = pathlib.Path(__file__).parents[2] / "protos"
_FOLDERS = ("compat", "routing", "registry")


class BuildWithStubs(build_py):
    def run(self):
        super().run()
        from grpc_tools import command, protoc  # only there while the package is built
        well_known = pathlib.Path(command.__file__).parent / "_proto"
        arguments = ["protoc", f"-I{_PROTOS}", f"-I{well_known}", f"--python_out={self.build_lib}", f"--pyi_out={self.build_lib}",
                     f"--grpc_python_out={self.build_lib}", *(str(path.relative_to(_PROTOS)) for folder in _FOLDERS
                       for path in sorted((_PROTOS / "pinion" / folder).glob("v1/*.proto")))]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"protoc failed on {_PROTOS}")


setup(cmdclass={"build_py": BuildWithStubs})
