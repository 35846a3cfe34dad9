"""What OpenAPI cannot say of DELETE: its keys are in the body or, if there is none, in the query. A request that has
both is judged by its body alone, and one that has neither is refused. Here each case gets its keys in one place: that
which the case is about. The tests of infra/check/openapi have the others."""

import schemathesis
from schemathesis.core import NOT_SET, NotSet
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode


def has_body(case):
    return not isinstance(case.body, NotSet)


def has_query(case):
    return "keys" in (case.query or {})


def is_ill(case, location):
    component = case.meta.components.get(location)
    return component is not None and component.mode == GenerationMode.NEGATIVE


def is_about_query(case):
    return not has_body(case) or is_ill(case, ParameterLocation.QUERY) and not is_ill(case, ParameterLocation.BODY)


@schemathesis.hook
def filter_case(context, case):
    if case.method.upper() != "DELETE":
        return True
    # A query is text: no value in it has the wrong type. And parameters of other names are ignored.
    if is_about_query(case) and has_query(case):
        keys = case.query["keys"]
        if set(case.query) != {"keys"} or not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            return False
    return has_body(case) or has_query(case)


@schemathesis.hook
def map_case(context, case):
    if case.method.upper() == "DELETE" and has_body(case) and has_query(case):
        if is_about_query(case):
            case.body = NOT_SET
        else:
            case.query = {name: value for name, value in case.query.items() if name != "keys"}
    return case
