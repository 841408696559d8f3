"""The examples of continuous integration: what their steps run is run here, in a repository like the one that they are for, against a
registry."""

import os
import subprocess
import unittest

import yaml

from tests.harness.gateway import PROGRAM
from tests.harness.process import ROOT
from tests.integration.cli.served import ANY, PATIENCE, Served

_EXAMPLES = ROOT / "examples/ci"
_FIRST = """syntax = "proto3";
package acme;
message Question { reserved 7; string name = 1; string language = 2; }
message Answer { string text = 1; }
service Greeter { rpc Hello(Question) returns (Answer); }
"""
_COMPATIBLE = _FIRST.replace("string language = 2;", "string language = 2; string tone = 3;")
_UNRESERVED = _COMPATIBLE.replace("reserved 7; ", "")
_BREAKING = _FIRST.replace(" string language = 2;", "")


def load(name):
    """The document; `on`, which YAML 1.1 takes for a truth, under its name."""
    document = yaml.safe_load((_EXAMPLES / name).read_text())
    return {"on" if key is True else key: value for key, value in document.items()}


def github_steps(job):
    return [step["run"] for step in load("github-actions.yml")["jobs"][job]["steps"] if "run" in step]


def gitlab_steps(job):
    """GitLab runs all lines of a job as one script."""
    document = load("gitlab-ci.yml")
    return ["\n".join(document["default"]["before_script"] + document[job]["script"])]


class CiExamples(Served):
    def setUp(self):
        super().setUp()
        registry = self.start(PROGRAM, "registry", "--registry", ANY, "--store", self.folder / "registry.db")
        self.registry = registry.wait_line(r"registry address=(\S+)").group(1)

    def run_job(self, steps, version, proto, service="greeter"):
        """The job in a checkout of its own: (the status of the step that fails, else 0; all that was printed)."""
        checkout = self.folder / f"checkout-{service}-{version}"
        (checkout / "proto").mkdir(parents=True, exist_ok=True)
        (checkout / "proto/greeter.proto").write_text(proto.replace("acme", service))
        (checkout / "VERSION").write_text(version + "\n")
        env = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "PINION_REGISTRY": self.registry, "SERVICE": service,
               "GITHUB_SHA": "c0ffee", "CI_COMMIT_SHA": "c0ffee", "XDG_CONFIG_HOME": str(self.folder)}
        printed = ""
        for step in steps:
            done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step], cwd=checkout, env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
            printed += done.stdout
            if done.returncode != 0:
                return done.returncode, printed
        return 0, printed

    def passes(self, steps, version, proto, words="", service="greeter"):
        status, printed = self.run_job(steps, version, proto, service)
        self.assertEqual(status, 0, printed)
        self.assertIn(words, printed)

    def fails(self, steps, version, proto, words, service="greeter"):
        status, printed = self.run_job(steps, version, proto, service)
        self.assertEqual(status, 1, printed)
        self.assertIn(words, printed)

    def story(self, check, publish):
        self.passes(check, "1.0.0", _FIRST, "can be published, as the first of its service")
        self.passes(publish, "1.0.0", _FIRST)
        self.assertIn("commit: c0ffee", self.cli("version", "show", "greeter", "1.0.0", "-o", "yaml"))
        self.passes(check, "1.0.0", _FIRST, "is published, the same")
        # Who forgets VERSION hears of it before main does.
        self.fails(check, "1.0.0", _COMPATIBLE, "publish it under a new name")

        for job in (check, publish):
            self.passes(job, "1.1.0", _COMPATIBLE)
        self.fails(check, "1.2.0", _BREAKING, "FIELD_NO_DELETE")
        # What publishing accepts.
        self.passes(check, "1.2.0", _UNRESERVED, "greeter 1.2.0 can be published")
        # What the name says, nobody meets by surprise.
        for job in (check, publish):
            self.passes(job, "2.0.0", _BREAKING)
        self.assertIn("2.0.0", self.cli("version", "list", "greeter"))

        self.passes(publish, "0.1.0", _FIRST, service="early")
        self.fails(check, "0.1.1", _BREAKING, "FIELD_NO_DELETE", "early")
        self.passes(check, "0.2.0", _BREAKING, service="early")

        # Nothing was promised of a candidate, and nothing is any more of what is retired.
        self.passes(publish, "1.0.0", _FIRST, service="later")
        self.passes(publish, "1.1.0-rc.1", _COMPATIBLE, service="later")
        self.passes(check, "1.1.0", _FIRST, service="later")
        self.passes(publish, "1.1.0", _COMPATIBLE, service="later")
        self.fails(check, "1.2.0", _FIRST, "FIELD_NO_DELETE", "later")
        self.cli("version", "retire", "later", "1.1.0", "--force", "--reason", "it was a mistake")
        self.passes(check, "1.2.0", _FIRST, service="later")

    def test_github(self):
        self.story(github_steps("check"), github_steps("publish"))

    def test_gitlab(self):
        self.story(gitlab_steps("check"), gitlab_steps("publish"))

    def test_github_says_when(self):
        document = load("github-actions.yml")
        self.assertEqual(set(document), {"name", "on", "env", "defaults", "jobs"})
        self.assertEqual(document["on"], {"pull_request": None, "push": {"branches": ["main"]}})
        for job in document["jobs"].values():
            self.assertLessEqual(set(job), {"if", "needs", "runs-on", "container", "steps"})
            for step in job["steps"]:
                self.assertEqual(len({"uses", "run"} & set(step)), 1, step)
        self.assertEqual(document["jobs"]["publish"]["if"], "github.event_name == 'push'")
        self.assertEqual(document["jobs"]["publish"]["needs"], "check")

    def test_gitlab_says_when(self):
        document = load("gitlab-ci.yml")
        self.assertEqual(set(document), {"stages", "variables", "default", "check", "publish"})
        for name in ("check", "publish"):
            self.assertEqual(set(document[name]), {"stage", "rules", "script"})
            self.assertIn(document[name]["stage"], document["stages"])
        self.assertIn("merge_request_event", document["check"]["rules"][0]["if"])
        self.assertIn("$CI_DEFAULT_BRANCH", document["publish"]["rules"][0]["if"])


if __name__ == "__main__":
    unittest.main()
