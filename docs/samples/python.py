# BASE_URL=https://… TOKEN=… python3 python.py
import json
import os
import sys
import urllib.error
import urllib.request


def call(method, body=None):
    request = urllib.request.Request(
        os.environ["BASE_URL"] + "/settings/organization",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


try:
    print(call("POST", {"settings": {"theme": "dark", "limits": {"maxFileSize": "10GB"}}})["message"])
    print(call("GET")["settings"]["limits"]["maxFileSize"])
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code} {json.load(error)['message']}")
except OSError as error:
    sys.exit(str(error))
