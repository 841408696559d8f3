"""The chart as helm renders it, for many values: against Kubernetes' schemas, against pinion itself, and against itself."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

from tests.charts import cases
from tests.charts.chart import KUBECONFORM, Manifests, Refused, container, helm, lint, ports, render, validate
from tests.charts.document import CHART
from tests.charts.kubernetes_schemas import KUBERNETES, LOCATION, schemas_folder
from tests.conformance.suite import go_tool
from tests.harness.certificates import Certificate
from tests.docs import pages
from tests.harness.gateway import PROGRAM
from tests.harness.process import ROOT

_PINION_PATH = re.compile(r"/(?:etc|var/lib|run)/pinion\b")


def merged(base, change):
    """`base` with `change` over it, as helm lays values over each other."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}


def nested(path, value):
    for part in reversed(path.split(".")):
        value = {part: value}
    return value


class RenderedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.texts = {name: render(values) for name, values in cases.CASES.items()}
        cls.manifests = {name: Manifests(text) for name, text in cls.texts.items()}

    def each_workload(self, check):
        """Calls `check(manifests, workload)` for the workloads of all cases."""
        for name, manifests in self.manifests.items():
            for workload in manifests.workloads():
                with self.subTest(case=name, workload=workload["metadata"]["name"]):
                    check(manifests, workload)

    def test_values_of_the_documentation(self):
        path = "docs/kubernetes.md"
        for block in pages.read(path, (ROOT / path).read_text()).blocks():
            if block.said("values of"):
                with self.subTest(f"{path}:{block.line}"):
                    values = merged({"image": {"repository": "registry.example/pinion"}}, yaml.safe_load(block.text))
                    self.assertTrue(Manifests(render(values)).workloads())

    def test_lint(self):
        for name, values in cases.CASES.items():
            with self.subTest(case=name):
                self.assertIn("0 chart(s) failed", lint(values))

    def test_kubernetes_schemas(self):
        for name, text in self.texts.items():
            with self.subTest(case=name):
                done = subprocess.run([go_tool(*KUBECONFORM), "-strict", "-summary", "-kubernetes-version", KUBERNETES[1:],
                                       "-schema-location", f"{schemas_folder()}/{LOCATION}", "-"],
                                      input=text, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("Skipped: 0", done.stdout)

    def test_kubernetes_schemas_mind_what_is_wrong(self):
        wrong = self.texts["defaults"].replace("maxUnavailable: 1", "maxUnavailabel: 1")
        done = subprocess.run([go_tool(*KUBECONFORM), "-strict", "-schema-location", f"{schemas_folder()}/{LOCATION}", "-"],
                              input=wrong, capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("maxUnavailabel", done.stdout)

    def test_the_api_server_would_take_it(self):
        for name, text in self.texts.items():
            with self.subTest(case=name):
                status, said = validate(text)
                self.assertEqual(status, 0, said)

    def test_the_api_server_would_mind_what_is_wrong(self):
        text = self.texts["defaults"]
        for good, bad, words in (("port: admin}", "port: the-admin-port-of-it}", "must be no more than 15 characters"),
                                 ("port: 8080}", "port: 80800}", "must be between 1 and 65535"),
                                 ("drop:\n            - ALL", "drop:\n            - KILL", "not restricted: unrestricted capabilities"),
                                 ("name: snapshots, mountPath: /var/lib/pinion", "name: config, mountPath: /etc/pinion/config", "must be unique")):
            self.assertIn(good, text)
            status, said = validate(text.replace(good, bad))
            self.assertEqual(status, 1)
            self.assertIn(words, said)

    def test_pinion_takes_the_configuration(self):
        def check(manifests, workload):
            with tempfile.TemporaryDirectory() as folder:
                done = self.validate_config(manifests.config(workload), pathlib.Path(folder))
                self.assertEqual(done.returncode, 0, done.stderr)
        self.each_workload(check)

    def test_pinion_refuses_a_wrong_field_of_config(self):
        manifests = Manifests(render({"gateway": {"config": {"max_deadlin": "5s"}}}))
        with tempfile.TemporaryDirectory() as folder:
            done = self.validate_config(manifests.config(manifests.all("Deployment")[0]), pathlib.Path(folder))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("max_deadlin", done.stderr)

    @staticmethod
    def validate_config(text, folder):
        """`pinion validate` on a configuration whose files are in `folder` instead of where the pod has them."""
        text = _PINION_PATH.sub(lambda found: f"{folder}{found[0]}", text)
        (folder / "var/lib/pinion").mkdir(parents=True)
        certificate = Certificate(folder / "made")
        (folder / "run/pinion").mkdir(parents=True)
        for path in re.findall(rf"{re.escape(str(folder))}/etc/pinion/[^\s,}}]+", text):
            target = pathlib.Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.name == "token":
                target.write_text("a-token")
            else:
                shutil.copy(certificate.key if target.suffix == ".key" else certificate.chain, target)
        file = folder / "pinion.yaml"
        file.write_text(text)
        return subprocess.run([PROGRAM, "validate", file], capture_output=True, text=True, check=False)

    def test_files_of_the_configuration_are_mounted(self):
        def check(manifests, workload):
            pod = workload["spec"]["template"]["spec"]
            mounts = {mount["mountPath"]: mount["name"] for mount in container(workload)["volumeMounts"]}
            claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
            self.assertEqual(set(mounts.values()), {volume["name"] for volume in pod["volumes"]} | claims)
            for path in re.findall(r"/(?:etc|var/lib|run)/pinion[^\s,}]*", manifests.config(workload)):
                self.assertTrue(any(path == mount or path.startswith(mount + "/") for mount in mounts), path)
        self.each_workload(check)

    def test_ports_of_the_configuration_are_the_containers(self):
        def check(manifests, workload):
            config = yaml.safe_load(manifests.config(workload))
            wanted = {listener["name"]: listener["address"] for listener in config.get("listeners", [])}
            wanted["admin"] = config["admin"]["address"]
            if "store" in config.get("registry", {}):
                wanted["registry"] = config["registry"]["address"]
            self.assertEqual(ports(workload), {name: address["socket_address"]["port_value"] for name, address in wanted.items()})
        self.each_workload(check)

    def test_probes_ask_ports_that_are_there(self):
        def check(manifests, workload):
            its = container(workload)
            for name in ("readinessProbe", "livenessProbe", "startupProbe"):
                probe = its[name]
                if "exec" in probe:
                    socket = yaml.safe_load(manifests.config(workload))["registry"]["local_socket"]
                    self.assertIn(f"unix:{socket}", probe["exec"]["command"])
                else:
                    self.assertIn((probe.get("httpGet") or probe["tcpSocket"])["port"], ports(workload))
            if its["name"] == "gateway":
                self.assertEqual([its[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")], ["/readyz", "/healthz"])
                self.assertEqual(its["readinessProbe"]["httpGet"]["port"], "admin")
        self.each_workload(check)

    def test_the_grace_period_holds_the_pause_and_the_drain(self):
        def check(manifests, workload):
            pause = container(workload).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            drain = yaml.safe_load(manifests.config(workload)).get("gateway", {}).get("drain_timeout", "5s")
            self.assertGreater(workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], pause + int(drain[:-1]))
        self.each_workload(check)

    def test_services_lead_to_pods(self):
        for name, manifests in self.manifests.items():
            for service in manifests.all("Service"):
                with self.subTest(case=name, service=service["metadata"]["name"]):
                    (workload,) = manifests.selected(service["spec"]["selector"])
                    for port in service["spec"]["ports"]:
                        self.assertIn(port["targetPort"], ports(workload))
                        if service["spec"].get("clusterIP") == "None":
                            self.assertEqual(port["port"], ports(workload)[port["targetPort"]], "a headless Service maps no ports")

    def test_callers_do_not_reach_the_admin_port(self):
        for name, manifests in self.manifests.items():
            service = manifests.find("Service", "edge-pinion-gateway")
            if service:
                with self.subTest(case=name):
                    self.assertNotIn("admin", [port["targetPort"] for port in service["spec"]["ports"]])

    def test_gateways_look_for_the_registry_where_it_is(self):
        for name in ("defaults", "everything"):
            manifests = self.manifests[name]
            (deployment,) = manifests.all("Deployment")
            address = yaml.safe_load(manifests.config(deployment))["registry"]["address"]["socket_address"]
            service = manifests.find("Service", address["address"].removesuffix(".api.svc"))
            self.assertEqual([port["port"] for port in service["spec"]["ports"]], [address["port_value"]])

    def test_network_policies_name_the_right_ports_and_pods(self):
        for name, manifests in self.manifests.items():
            policies = manifests.all("NetworkPolicy")
            self.assertEqual(len(policies), 0 if name in ("unguarded", "only gateways, by hand", "access, by hand") else len(manifests.workloads()), name)
            for policy in policies:
                with self.subTest(case=name, policy=policy["metadata"]["name"]):
                    (workload,) = manifests.selected(policy["spec"]["podSelector"]["matchLabels"])
                    admin = {ports(workload).get("admin")}
                    opened = [{port["port"] for port in rule["ports"]} for rule in policy["spec"]["ingress"]]
                    self.assertEqual(opened[0], set(ports(workload).values()) - admin)
                    for others in opened[1:]:
                        self.assertEqual(others, admin)
                    self.assertEqual("Egress" in policy["spec"]["policyTypes"], "egress" in policy["spec"])

    def test_the_registry_lets_in_only_gateways_and_who_is_named(self):
        for name, clients in (("defaults", 0), ("everything", 1), ("only a registry", 1)):
            policy = next(found for found in self.manifests[name].all("NetworkPolicy") if found["metadata"]["name"].endswith("registry"))
            gateways, *others = policy["spec"]["ingress"][0]["from"]
            self.assertEqual(gateways["podSelector"]["matchLabels"]["app.kubernetes.io/component"], "gateway")
            self.assertEqual(len(others), clients, name)

    def test_nobody_reads_the_admin_port_unless_named(self):
        for plane in ("gateway", "registry"):
            policy = self.manifests["defaults"].find("NetworkPolicy", f"edge-pinion-{plane}")
            self.assertEqual(len(policy["spec"]["ingress"]), 1)

    def test_pods_have_a_read_only_root_and_no_token(self):
        def check(_, workload):
            self.assertTrue(container(workload)["securityContext"]["readOnlyRootFilesystem"])
            self.assertFalse(workload["spec"]["template"]["spec"]["automountServiceAccountToken"])
        self.each_workload(check)

    def test_what_selects_pods_selects_them(self):
        for name, manifests in self.manifests.items():
            for workload in manifests.workloads():
                with self.subTest(case=name, workload=workload["metadata"]["name"]):
                    self.assertEqual(manifests.selected(workload["spec"]["selector"]["matchLabels"]), [workload])
                    for spread in workload["spec"]["template"]["spec"]["topologySpreadConstraints"]:
                        self.assertEqual(manifests.selected(spread["labelSelector"]["matchLabels"]), [workload])
            for budget in manifests.all("PodDisruptionBudget"):
                self.assertEqual(len(manifests.selected(budget["spec"]["selector"]["matchLabels"])), 1, name)
            for scaler in manifests.all("HorizontalPodAutoscaler"):
                target = manifests.find("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
                self.assertNotIn("replicas", target["spec"], "who scales would be overruled by each upgrade")

    def test_the_monitors_find_the_admin_services(self):
        manifests = self.manifests["everything"]
        monitors = manifests.all("ServiceMonitor")
        self.assertEqual(len(monitors), 2)
        for monitor in monitors:
            labels = monitor["spec"]["selector"]["matchLabels"]
            (service,) = [found for found in manifests.all("Service") if labels.items() <= found["metadata"]["labels"].items()]
            self.assertEqual(service["metadata"]["name"], monitor["metadata"]["name"] + "-admin")
            self.assertEqual([end["port"] for end in monitor["spec"]["endpoints"]], [port["name"] for port in service["spec"]["ports"]])

    def test_certificates_go_to_the_secret_that_is_mounted(self):
        manifests = self.manifests["TLS"]
        (certificate,) = manifests.all("Certificate")
        volumes = manifests.all("Deployment")[0]["spec"]["template"]["spec"]["volumes"]
        secrets = {volume["name"]: volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
        self.assertEqual(secrets, {"tls-mesh": certificate["spec"]["secretName"], "tls-edge": "edge-tls", "client-ca-edge": "callers-ca"})
        self.assertIn("edge-pinion-gateway.api.svc", certificate["spec"]["dnsNames"])

    def test_another_configuration_makes_other_pods(self):
        other = Manifests(render({"gateway": {"config": {"max_deadline": "7s"}}}))

        def checksums(manifests):
            return {found["kind"]: found["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for found in manifests.workloads()}
        before, after = checksums(self.manifests["defaults"]), checksums(other)
        self.assertNotEqual(before["Deployment"], after["Deployment"])
        self.assertEqual(before["StatefulSet"], after["StatefulSet"])

    def test_every_value_has_an_effect(self):
        for base, changes in cases.CHANGES.items():
            company = cases.CASES.get(base, {})
            before = render(company)
            for path, value in changes.items():
                with self.subTest(value=path, beside=base):
                    if path in cases.REFUSED_CHANGES:
                        self.assertRaises(Refused, render, merged(company, nested(path, value)))
                    else:
                        self.assertNotEqual(render(merged(company, nested(path, value))), before)

    def test_wrong_values_are_refused(self):
        for values, words in cases.REFUSALS:
            with self.subTest(values=json.dumps(values)):
                with self.assertRaises(Refused) as refused:
                    render(values)
                self.assertIn(words, str(refused.exception))

    def test_notes(self):
        """helm renders them only for a cluster, so a copy of the chart has them as a manifest."""
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copytree(CHART, pathlib.Path(folder) / "pinion")
            notes = (copy / "templates/NOTES.txt").read_text()
            (copy / "templates/notes.yaml").write_text('{{- define "notes" -}}' + notes + '{{- end }}\nkind: Notes\ntext: {{ include "notes" . | quote }}\n')
            for name, words in (("defaults", "edge-pinion-gateway.api.svc:80   ingress, without TLS"), ("TLS", "svc:443   edge, TLS"),
                                ("unguarded", "WARNING"), ("only a registry", "pinion --registry unix:/run/pinion/registry.sock status"),
                                ("headless", "edge-pinion-gateway.api.svc:8080   ingress"),
                                ("access", "access grant gateway --to dns:edge-pinion-gateway.api.svc"),
                                ("access, by hand", "a DNS name of the certificate in the Secret gateway-tls"),
                                ("access, by hand", "access grant gateway --to dns:NAME"),
                                ("access by token", "access grant gateway --to token:NAME"), ("etcd", "exec deployment/edge-pinion-registry")):
                (found,) = Manifests(render(cases.CASES[name], copy)).all("Notes")
                self.assertIn(words, found["text"])
                self.assertNotIn("<no value>", found["text"])
            (found,) = Manifests(render(cases.CASES["access, gateways elsewhere"], copy)).all("Notes")
            self.assertNotIn("access grant", found["text"])

    def test_the_packaged_chart_renders_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            helm("package", CHART, "--destination", folder)
            (package,) = pathlib.Path(folder).glob("pinion-*.tgz")
            self.assertEqual(render({}, package), self.texts["defaults"])


if __name__ == "__main__":
    unittest.main()
