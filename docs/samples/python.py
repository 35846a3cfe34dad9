# BASE_URL=https://… TOKEN=… python3 python.py
import http.client
import json
import os
import sys
import urllib.error
import urllib.request

BASE_URL, TOKEN = os.environ.get("BASE_URL"), os.environ.get("TOKEN")
if not BASE_URL or not TOKEN:
    sys.exit("BASE_URL or TOKEN is missing")


def call(method, body=None):
    request = urllib.request.Request(
        BASE_URL.rstrip("/") + "/settings/organization",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read().decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        sys.exit(f"{response.status} {text}")


try:
    print(call("POST", {"settings": {"theme": "dark", "limits": {"maxFileSize": "10GB"}}})["message"])
    print(call("GET")["settings"]["limits"]["maxFileSize"])
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code} {error.read().decode(errors='replace')}")
except (OSError, http.client.HTTPException) as error:
    sys.exit(str(error))
