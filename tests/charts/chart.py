"""The chart as helm renders it."""

import json
import pathlib
import subprocess
import tempfile

import yaml

from tests.charts.document import CHART
from tests.conformance.suite import go_program, go_tool

HELM = ("helm.sh/helm/v3/cmd/helm", "v3.18.6", "helm")
KUBECONFORM = ("github.com/yannh/kubeconform/cmd/kubeconform", "v0.7.0", "kubeconform")
_PROGRAMS = pathlib.Path(__file__).with_name("programs")
# What the cluster would say; a helm that was built without its Makefile takes a much older one for granted.
_CLUSTER = ["--kube-version", "1.34.0"]


class Refused(Exception):
    """helm did not take the values; the message is what it said."""


def helm(*arguments):
    """What helm prints. Raises Refused."""
    done = subprocess.run([go_tool(*HELM), *arguments], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def _with_values(values, *arguments):
    """helm's answer when it is given a dict as a file of values."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        return helm(*arguments, *_CLUSTER, "--values", file.name)


def lint(values):
    return _with_values(values, "lint", "--strict", CHART)


def render(values, chart=CHART):
    """All manifests as text."""
    return _with_values(values, "template", "edge", chart, "--namespace", "api")


def validate(manifests):
    """(exit status, what is said) of what Kubernetes' API server does before it keeps an object."""
    done = subprocess.run([go_program("apivalidation", _PROGRAMS)], input=manifests, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Manifests:
    """The objects of one rendering, by kind and name."""

    def __init__(self, text):
        self.objects = [document for document in yaml.safe_load_all(text) if document]

    def all(self, kind):
        return [found for found in self.objects if found["kind"] == kind]

    def find(self, kind, name):
        """The object, or None."""
        return next((found for found in self.all(kind) if found["metadata"]["name"] == name), None)

    def workloads(self):
        return self.all("Deployment") + self.all("StatefulSet")

    def config(self, workload):
        """The start-up file of a workload's pods, as text."""
        volumes = workload["spec"]["template"]["spec"]["volumes"]
        name = next(volume["configMap"]["name"] for volume in volumes if volume["name"] == "config")
        return self.find("ConfigMap", name)["data"]["pinion.yaml"]

    def selected(self, selector):
        """The workloads whose pods have these labels."""
        return [found for found in self.workloads() if selector.items() <= found["spec"]["template"]["metadata"]["labels"].items()]


def container(workload):
    return workload["spec"]["template"]["spec"]["containers"][0]


def ports(workload):
    """{name: number} of the container's ports."""
    return {port["name"]: port["containerPort"] for port in container(workload)["ports"]}
