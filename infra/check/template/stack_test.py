"""What CloudFormation and Lambda refuse and the linters pass, seen in the expanded and evaluated template; and which
deployments publish a version, by make deploy itself with a stand-in for sam."""

import fnmatch
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import tomllib
import unittest

from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.auth_utils import auth_per_resource
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

import stack
from stack import DEPLOYMENTS, EVERYTHING, REQUIRED, ROOT, Stack


def stacks():
    return {name: Stack(parameters) for name, parameters in DEPLOYMENTS.items()}


class FirstDeployment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stacks = stacks()

    def test_everything_is_everything(self):
        parameters = stack.template()["Parameters"]
        same = {n for n, p in parameters.items() if str(p.get("Default")) == EVERYTHING.get(n, str(p.get("Default")))}
        self.assertEqual({"Environment", "VersionHash"}, same)

    def test_api_is_imported_without_a_warning(self):
        for made in self.stacks.values():
            api = made.resources["SettingsApi"]["Properties"]
            if api.get("FailOnWarnings"):
                for server in api["Body"].get("servers", []):
                    self.assertIn("url", server)

    def test_generated_address_stays_until_it_is_closed(self):
        for closed, outputs in (
            ("false", {"ApiUrl": "<SettingsApi.ApiEndpoint>"}),
            ("true", {"ApiUrl": "https://settings.example.com"}),
        ):
            made = Stack(EVERYTHING | {"CloseGeneratedAddress": closed})
            (server,) = made.resources["SettingsApi"]["Properties"]["Body"]["servers"]
            endpoint = server["x-amazon-apigateway-endpoint-configuration"]
            self.assertEqual({"disableExecuteApiEndpoint": closed == "true"}, endpoint)
            outputs |= {
                "DomainTarget": "<ApiDomain.RegionalDomainName>",
                "DomainHostedZoneId": "<ApiDomain.RegionalHostedZoneId>",
            }
            self.assertEqual(outputs, outputs | {n: v for n, v in made.outputs.items() if n in outputs})
        with self.assertRaisesRegex(ValueError, "needs a DomainName"):
            Stack(REQUIRED | {"CloseGeneratedAddress": "true"})

    def test_new_account_has_nothing_to_reserve(self):
        for name, made in self.stacks.items():
            reserved = made.resources["SettingsFunction"]["Properties"].get("ReservedConcurrentExecutions")
            self.assertEqual("100" if name == "prod-everything" else None, reserved)

    def test_a_second_try_meets_no_name_of_the_first(self):
        for made in self.stacks.values():
            for name, resource in made.present.items():
                # What outlives a failed creation has a name that CloudFormation makes up.
                if resource.get("DeletionPolicy") == "Retain" and resource["Type"] != "AWS::Lambda::Version":
                    self.assertFalse({"TableName", "BucketName", "LogGroupName"} & set(resource["Properties"]), name)

    def test_lambda_takes_the_description(self):
        for made in self.stacks.values():
            description = made.resources["SettingsFunction"]["Properties"]["Description"]
            self.assertRegex(description, r"^Every method of /settings/organization, attempt \S+ $")
            self.assertLessEqual(len(description), 256)

    def test_each_version_has_canary_alarms_of_its_own(self):
        for made in self.stacks.values():
            (version,) = made.of_type("AWS::Lambda::Version")
            for name, alarm in made.of_type("AWS::CloudWatch::Alarm").items():
                canary = name.startswith("Canary")
                self.assertEqual(canary, f"<{version}.Version>" in alarm.get("AlarmName", ""), name)

    def test_codedeploy_may_watch_the_canary_alarms(self):
        for made in self.stacks.values():
            (policy,) = made.resources["DeploymentRole"]["Properties"]["Policies"]
            (watch,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Sid"] == "WatchAlarms"]
            (group,) = made.of_type("AWS::CodeDeploy::DeploymentGroup").values()
            for alarm in group["AlarmConfiguration"]["Alarms"]:
                name = made.resources[alarm["Name"].strip("<>")]["Properties"]["AlarmName"]
                self.assertTrue(fnmatch.fnmatchcase(name, watch["Resource"].split(":alarm:")[1]), name)

    def test_dashboards_of_two_regions_have_two_names(self):
        for made in self.stacks.values():
            (dashboard,) = made.of_type("AWS::CloudWatch::Dashboard").values()
            self.assertEqual("organization-settings-test-eu-west-1", dashboard["DashboardName"])

    def test_membership_is_read_by_named_attributes_only(self):
        for made in self.stacks.values():
            (policy,) = made.resources["FunctionRole"]["Properties"]["Policies"]
            (read,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Sid"] == "ReadMembership"]
            self.assertEqual({"dynamodb:Attributes": "false"}, read["Condition"]["Null"])

    def test_history_off_and_on_changes_one_variable(self):
        """The table and the permission stay, since the version before still serves most of a canary's traffic."""
        on, off = Stack(REQUIRED), Stack(REQUIRED | {"History": "off"})
        for made, table in ((on, "<HistoryTable>"), (off, "")):
            variables = made.resources["SettingsFunction"]["Properties"]["Environment"]["Variables"]
            self.assertEqual(table, variables["HISTORY_TABLE"])
            variables.pop("HISTORY_TABLE")
        for name in ("UsersTable", "SettingsTable", "HistoryTable", "FunctionRole", "SettingsFunction"):
            self.assertEqual(on.resources[name], off.resources[name])

    def test_protected_is_production(self):
        for name, made in self.stacks.items():
            for table in made.of_type("AWS::DynamoDB::Table").values():
                self.assertEqual(name.startswith("prod"), table["DeletionProtectionEnabled"])


def own_variables():
    """The variables of this process without those of a make that runs the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "AWS_"))}


class Deployer:
    """One environment of the service, deployed by make. The stand-in for sam notes what it is told; a parameter that is
    not given keeps its value, as in sam deploy. Lambda refuses a version that equals the one it published last."""

    def __init__(self):
        self.parameters = {}
        self.id = None  # logical id of the version in the stack
        self.visible = None  # what Lambda compares
        self.published = []

    def make(self, environment="dev", **variables):
        with tempfile.TemporaryDirectory() as folder:
            sam, notes = pathlib.Path(folder, "sam"), pathlib.Path(folder, "notes")
            sam.write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done >>"$NOTES"; printf "\\n" >>"$NOTES"\n')
            sam.chmod(0o755)
            given = [f"{name}={value}" for name, value in variables.items()]
            env = own_variables()
            subprocess.run(["make", "deploy", f"SAM={sam}", f"ENV={environment}", *given],
                           cwd=ROOT, env=env | {"NOTES": str(notes)}, check=True, capture_output=True)
            # The sources are the same all the time: the command lines of the build decide on the program.
            build = subprocess.run(["make", "-n", "build-SettingsFunction", "ARTIFACTS_DIR=.", *given],
                                   cwd=ROOT, env=env, check=True, capture_output=True).stdout
            calls = [line.split("\0")[:-1] for line in notes.read_text().splitlines()]
        assert [c[0] for c in calls] == ["build", "deploy"], calls
        self.deploy(calls[1][1:], build)

    def guided(self, parameters):
        """sam deploy --guided, which gives every parameter, keeps to the managed bucket and takes the stack's name as
        prefix."""
        defaults = {n: str(p["Default"]) for n, p in stack.template()["Parameters"].items() if "Default" in p}
        build = subprocess.run(["make", "-n", "build-SettingsFunction", "ARTIFACTS_DIR=."],
                               cwd=ROOT, env=own_variables(), check=True, capture_output=True).stdout
        self.apply(defaults | parameters, "managed/organization-settings-dev", build)

    def deploy(self, arguments, build):
        def option(name, otherwise):
            return arguments[arguments.index(name) + 1] if name in arguments else otherwise

        config = tomllib.loads((ROOT / "samconfig.toml").read_text())
        config = config[option("--config-env", "default")]["deploy"]["parameters"]
        place = f'{option("--s3-bucket", "managed")}/{option("--s3-prefix", config.get("s3_prefix"))}'
        first = arguments.index("--parameter-overrides") + 1
        given = []
        for word in arguments[first:]:
            if word.startswith("--"):
                break
            given.append(word)
        self.apply(CfnParameterOverridesType().convert(given, None, None), place, build)

    def apply(self, parameters, place, build):
        self.parameters |= parameters
        program = hashlib.md5(build).hexdigest()
        made = Stack(self.parameters, code=f"s3://{place}/{program}")
        function = made.resources["SettingsFunction"]["Properties"]
        (new,) = made.of_type("AWS::Lambda::Version")
        # Reserved concurrency is no part of a version, nor is the place that the program was taken from.
        visible = {k: v for k, v in function.items() if k not in ("ReservedConcurrentExecutions", "Code")}
        visible |= {"program": program}
        if self.id is not None and (new != self.id) != (visible != self.visible):
            raise AssertionError(f"version {self.id} to {new}, function {self.visible} to {visible}")
        if new != self.id:
            if self.published and self.published[-1] == visible:
                raise Refused
            self.published.append(visible)
        self.id, self.visible = new, visible


class Refused(Exception):
    """A version for this Lambda function exists."""


def words(parameters):
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def listed():
    """Returns the parameters that the function's description names."""
    description = stack.template()["Resources"]["SettingsFunction"]["Properties"]["Description"]
    return {a or b for a, b in re.findall(r"'Ref': '(\w+)'|\$\{(\w+)\}", str(description))}


class Versions(unittest.TestCase):
    def versions(self, *deployments):
        """Returns how many versions were there after each of the deployments."""
        deployer, counts = Deployer(), []
        for variables in deployments:
            deployer.make(**variables)
            counts.append(len(deployer.published))
        return counts

    def test_nothing_changes(self):
        backwards = dict(reversed(REQUIRED.items()))
        self.assertEqual([1, 1, 1, 1], self.versions(
            {"PARAMETERS": words(REQUIRED)}, {}, {"PARAMETERS": words(REQUIRED)}, {"PARAMETERS": words(backwards)}))

    def test_one_version_for_each_parameter_of_the_function_and_none_for_another(self):
        deployer = Deployer()
        deployer.make(PARAMETERS=words(REQUIRED))
        changes = EVERYTHING | {name: value + "2" for name, value in REQUIRED.items()}
        for name, value in changes.items():
            if name in ("Architecture", "JwksFileMaxAge", "Schema", "CertificateArn", "DomainName", "CloseGeneratedAddress"):
                continue
            with self.subTest(parameter=name):
                before = len(deployer.published)
                deployer.make(PARAMETERS=words({name: value}))
                self.assertEqual(1 if name in listed() else 0, len(deployer.published) - before)
        before = len(deployer.published)
        deployer.make(PARAMETERS=words({n: EVERYTHING[n] for n in ("CertificateArn", "DomainName")}))
        deployer.make(PARAMETERS="CloseGeneratedAddress=true")
        self.assertEqual(before, len(deployer.published))

    def test_every_parameter_of_the_function_is_listed(self):
        template = stack.template()
        properties = dict(template["Resources"]["SettingsFunction"]["Properties"])
        for unversioned in ("Description", "ReservedConcurrentExecutions", "DeploymentPreference", "Events", "AutoPublishCodeSha256"):
            properties.pop(unversioned)
        used, conditions = set(), set()

        def walk(value):
            if isinstance(value, dict):
                for key, child in value.items():
                    if key == "Ref":
                        used.add(child)
                    if key in ("Fn::If", "Condition"):
                        condition = child[0] if key == "Fn::If" else child
                        if isinstance(condition, str) and condition not in conditions:
                            conditions.add(condition)
                            walk(template["Conditions"][condition])
                    walk(child)
            elif isinstance(value, list):
                for child in value:
                    walk(child)

        walk(properties)
        self.assertEqual(used & set(template["Parameters"]), listed() - {"Attempt"})

    def test_code_and_build(self):
        first = {"PARAMETERS": words(REQUIRED)}
        self.assertEqual([1, 2, 2, 3, 4, 5], self.versions(
            first, {"VERSION": "1"}, {"VERSION": "1"}, {"VERSION": "1", "ARCHITECTURE": "x86_64"},
            {"VERSION": "1", "ARCHITECTURE": "x86_64", "KEYS": ".build/jwks.json"},
            {"VERSION": "1", "ARCHITECTURE": "x86_64", "KEYS": ".build/jwks.json", "SCHEMA": "settings.schema.json"}))

    def test_guided_then_make(self):
        deployer = Deployer()
        deployer.guided({"Environment": "dev"} | REQUIRED)
        deployer.make()
        deployer.make(PARAMETERS=words(REQUIRED))
        self.assertEqual(1, len(deployer.published))

    def test_same_commit_after_a_roll_back(self):
        deployer = Deployer()
        deployer.make(VERSION="1", PARAMETERS=words(REQUIRED))
        before = dict(parameters=dict(deployer.parameters), id=deployer.id, visible=deployer.visible)
        deployer.make(VERSION="2")
        vars(deployer).update(before)  # CloudFormation puts the stack back; Lambda keeps the version
        with self.assertRaises(Refused):
            deployer.make(VERSION="2")
        vars(deployer).update(before)
        deployer.make(VERSION="2", PARAMETERS="Attempt=2")
        deployer.make(VERSION="2")
        deployer.make(VERSION="3")
        self.assertEqual(4, len(deployer.published))

    def test_parameter_is_cleared(self):
        deployer = Deployer()
        deployer.make(PARAMETERS=words(REQUIRED | {"JwtRequiredScope": "a", "AlarmTopicArn": EVERYTHING["AlarmTopicArn"]}))
        deployer.make(PARAMETERS="JwtRequiredScope='' AlarmTopicArn=''")
        self.assertEqual(["", ""], [deployer.parameters[n] for n in ("JwtRequiredScope", "AlarmTopicArn")])
        self.assertEqual(2, len(deployer.published))
        page = (ROOT / "docs/deploy.md").read_text()
        self.assertTrue("PARAMETERS=\"AlarmTopicArn=''\"" in page, "docs/deploy.md shows another form")

    def test_environments_are_three(self):
        for wrong in ({"ENV": "production"}, {"ARCHITECTURE": "amd64"}):
            given = [f"{name}={value}" for name, value in wrong.items()]
            made = subprocess.run(["make", "deploy", "SAM=true", *given], cwd=ROOT, capture_output=True)
            self.assertNotEqual(0, made.returncode, wrong)


class Guided(unittest.TestCase):
    def test_page_counts_the_questions(self):
        """sam deploy --guided asks for each route, since it sees no authorizer of the gateway's."""
        layers, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"), parameter_overrides=REQUIRED)
        questions = [name for name, authorized in auth_per_resource(layers) if not authorized]
        page = (ROOT / "docs/deploy.md").read_text()
        self.assertEqual([str(len(questions))], re.findall(r"authentication for each of the (\d+) routes", page))


if __name__ == "__main__":
    unittest.main()
