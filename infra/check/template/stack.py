"""The stack as CloudFormation gets to see it: template.yaml, expanded by SAM's own translator, with its conditions and
functions evaluated for the parameters of one deployment.

As a program it writes the expanded template of each of DEPLOYMENTS to a folder, for the linters: stack.py FOLDER.
"""

import json
import logging
import pathlib
import re
import sys

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[3]
CODE = "s3://artifacts/settings.zip"

REQUIRED = {
    "JwtIssuer": "https://login.example.com/",
    "JwtAudience": "settings",
    "JwksUrl": "https://login.example.com/jwks.json",
}
# A value other than the default for every parameter.
EVERYTHING = REQUIRED | {
    "JwksMaxAge": "10m",
    "JwksFileMaxAge": "12h",
    "JwtUserClaim": "username",
    "JwtRequiredScope": "settings:write",
    "History": "off",
    "HistoryDays": "30",
    "RequirePrecondition": "true",
    "Schema": "on",
    "LogLevel": "debug",
    "CorsAllowOrigins": "https://app.example.com,https://admin.example.com",
    "CorsAllowHeaders": "traceparent,x-b3-traceid",
    "UsersTableName": "users-1",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:000000000000:key/1234abcd",
    "DomainName": "settings.example.com",
    "CertificateArn": "arn:aws:acm:eu-west-1:000000000000:certificate/1234abcd",
    "CloseGeneratedAddress": "true",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:000000000000:alarms",
    "PermissionsBoundaryArn": "arn:aws:iam::000000000000:policy/boundary",
    "Tracing": "Active",
    "Architecture": "x86_64",
    "ReservedConcurrency": "100",
    "Attempt": "2",
}
DEPLOYMENTS = {
    "dev": {"Environment": "dev"} | REQUIRED,
    "staging": {"Environment": "staging"} | REQUIRED,
    "prod": {"Environment": "prod"} | REQUIRED,
    "prod-everything": {"Environment": "prod"} | EVERYTHING,
}


def template():
    with open(ROOT / "template.yaml", encoding="utf-8") as file:
        return yaml_parse(file)


def expand(parameters, code=CODE):
    """Returns what the transform makes of the template. code is the place that sam package gives the program."""
    source = template()
    source["Resources"]["SettingsFunction"]["Properties"]["CodeUri"] = code
    logging.disable(logging.WARNING)
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-west-1"))
    return translator.translate(source, dict(parameters), get_managed_policy_map=dict)


class Stack:
    """The resources and outputs that a deployment makes, evaluated. A reference to one of its own resources is the text
    <Id> or <Id.Attribute>; to anything else, an error."""

    PSEUDO = {
        "AWS::Region": "eu-west-1",
        "AWS::Partition": "aws",
        "AWS::AccountId": "000000000000",
        "AWS::StackName": "organization-settings-test",
        "AWS::URLSuffix": "amazonaws.com",
    }
    NOTHING = object()  # AWS::NoValue

    def __init__(self, parameters, code=CODE):
        self.template = expand(parameters, code)
        declared = self.template["Parameters"]
        unknown = set(parameters) - set(declared)
        if unknown:
            raise ValueError(f"no such parameter: {unknown}")
        self.parameters = {}
        for name, declaration in declared.items():
            value = parameters.get(name, declaration.get("Default"))
            if value is None:
                raise ValueError(f"{name} has neither a value nor a default")
            self.parameters[name] = value.split(",") if declaration["Type"] == "CommaDelimitedList" else str(value)
        self.present = {
            name: resource
            for name, resource in self.template["Resources"].items()
            if self.condition(resource.get("Condition"))
        }
        self.resources = {
            name: {"Type": resource["Type"], "Properties": self.evaluate(resource.get("Properties", {}))}
            for name, resource in self.present.items()
        }
        for resource in self.present.values():
            for name in flat(resource.get("DependsOn", [])):
                self.reference(name)
            self.evaluate(resource.get("UpdatePolicy", {}))
        self.outputs = {
            name: self.evaluate(output["Value"])
            for name, output in self.template["Outputs"].items()
            if self.condition(output.get("Condition"))
        }
        for rule in self.template.get("Rules", {}).values():
            if self.evaluate(rule["RuleCondition"]):
                for assertion in rule["Assertions"]:
                    if not self.evaluate(assertion["Assert"]):
                        raise ValueError(assertion["AssertDescription"])

    def of_type(self, kind):
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == kind}

    def condition(self, name):
        return name is None or self.evaluate(self.template["Conditions"][name])

    def reference(self, name, suffix=""):
        if name not in self.present:
            raise ValueError(f"{name} is referred to and not made")
        return f"<{name}{suffix}>"

    def ref(self, name):
        if name == "AWS::NoValue":
            return self.NOTHING
        if name in self.PSEUDO:
            return self.PSEUDO[name]
        return self.parameters[name] if name in self.parameters else self.reference(name)

    def get_att(self, value):
        name, attribute = value.split(".", 1) if isinstance(value, str) else value
        return self.reference(name, "." + attribute)

    def sub(self, value):
        text, own = (value, {}) if isinstance(value, str) else (value[0], self.evaluate(value[1]))

        def replace(match):
            name = match[1]
            if name in own:
                return own[name]
            return self.get_att(name) if "." in name else self.ref(name)

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", replace, text)

    def evaluate(self, value):
        if isinstance(value, list):
            return [v for v in (self.evaluate(item) for item in value) if v is not self.NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), = value.items()
            if function == "Ref":
                return self.ref(argument)
            if function == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if function == "Fn::GetAtt":
                return self.get_att(argument)
            if function == "Fn::Sub":
                return self.sub(argument)
            if function == "Fn::If":
                return self.evaluate(argument[1 if self.condition(argument[0]) else 2])
            if function.startswith("Fn::"):
                arguments = self.evaluate(argument)
                return {
                    "Fn::Equals": lambda: str(arguments[0]) == str(arguments[1]),
                    "Fn::Not": lambda: not arguments[0],
                    "Fn::And": lambda: all(arguments),
                    "Fn::Or": lambda: any(arguments),
                    "Fn::Join": lambda: arguments[0].join(arguments[1]),
                    "Fn::Split": lambda: arguments[1].split(arguments[0]),
                    "Fn::Select": lambda: arguments[1][int(arguments[0])],
                    "Fn::FindInMap": lambda: self.template["Mappings"][arguments[0]][arguments[1]][arguments[2]],
                }[function]()
        evaluated = {name: self.evaluate(v) for name, v in value.items()}
        return {name: v for name, v in evaluated.items() if v is not self.NOTHING}


def flat(value):
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for deployment, given in DEPLOYMENTS.items():
        (folder / f"{deployment}.json").write_text(json.dumps(expand(given), indent=2))
