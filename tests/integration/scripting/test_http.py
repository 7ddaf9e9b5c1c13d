"""Scripts call the outside world through the guarded client, with the libraries that CLOSER's authors know."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from shared.engine.effects import Answered, EffectFailed
from shared.net.guarded_client import GuardedClient
from shared.scripting.child import ChildEnded
from shared.scripting.host import ScriptHost
from shared.scripting.http_calls import HttpCalls, shown_url
from tests.integration.net.conftest import authority, client_for, server_context, trusting  # noqa: F401 - fixtures
from tests.integration.scripting.conftest import script_call
from tests.loopback_server import LoopbackServer, answering, response

FLOW = Path(__file__).parents[2] / "data" / "closer" / "flow_http_script.json"
CALL_THREAD = "script-http"
JSON_TYPE = [("Content-Type", "application/json")]
MISSING = {"error": "없음"}


def echo(connection, request):
    """Answers with what it was asked; /missing is a 404, /bytes are no text, /moved leads to /get."""
    if request.path == "/missing":
        connection.send(response(404, json.dumps(MISSING).encode(), JSON_TYPE))
    elif request.path == "/bytes":
        connection.send(response(200, "한글".encode("euc-kr"), [("Content-Type", "text/plain; charset=euc-kr")]))
    elif request.path == "/moved":
        connection.send(response(302, b"", [("Location", "/get")]))
    elif request.path == "/hang":
        connection.hang()
    else:
        told = {
            "method": request.method,
            "path": request.path,
            "body": request.body.decode("latin-1"),
            "type": request.header("content-type"),
            "auth": request.header("authorization"),
            "own": request.header("x-own"),
        }
        connection.send(response(200, json.dumps(told).encode(), JSON_TYPE))


@pytest.fixture(scope="module")
def server():
    with LoopbackServer(echo) as made:
        yield made


@pytest.fixture(scope="module")
def host(server):
    made = ScriptHost(client_for(server, "a.example"))
    yield made
    made.close()


@pytest.fixture
def call(host, server):
    """Run `expression` with `base`, the URL of the server."""
    server.requests.clear()

    def run(setup, expression, **options):
        script = f"{setup}\nmodule.exports = async ({{base}}) => ({{value: {expression}}});"
        return host(script_call(script, {"base": f"http://a.example:{server.port}"}, **options))

    return run


AXIOS = "const axios = require('axios');"
REQUEST = (
    "const request = require('request'); const done = (f) => new Promise((yes, no) => f((e, r, b) => "
    "e ? no(e) : yes([r.statusCode, b])));"
)
PROMISE = "const rp = require('request-promise');"
AGENT = "const superagent = require('superagent');"
FETCH = "const fetch = require('node-fetch');"
CALLS = {
    "axios.get": (
        AXIOS,
        "(await axios.get(base + '/get', {params: {q: '가 나', n: [1, 2]}, headers: {'X-Own': 'x'}})).data",
        {"method": "GET", "path": "/get?q=%EA%B0%80+%EB%82%98&n[]=1&n[]=2", "own": "x"},
    ),
    "axios.post": (
        AXIOS,
        "(await axios.post(base + '/post', {a: '1'})).data",
        {"method": "POST", "body": '{"a":"1"}', "type": "application/json;charset=utf-8"},
    ),
    "axios of a form": (
        AXIOS,
        "(await axios.post(base + '/post', new URLSearchParams({a: '1 2'}))).data",
        {"body": "a=1+2", "type": "application/x-www-form-urlencoded;charset=utf-8"},
    ),
    "axios of a querystring": (
        AXIOS,
        "(await axios.put(base + '/post', require('querystring').stringify({a: 1}))).data",
        {"method": "PUT", "body": "a=1", "type": "application/x-www-form-urlencoded"},
    ),
    "axios with config": (
        AXIOS,
        "(await axios({method: 'delete', baseURL: base, url: '/x', auth: {username: 'u', password: 'p'}})).data",
        {"method": "DELETE", "path": "/x", "auth": "Basic dTpw"},
    ),
    "axios.create": (
        AXIOS,
        (
            "(await axios.create({baseURL: base, headers: {'X-Own': 'y'}}).patch('/x', 'text', {headers: "
            "{'Content-Type': 'text/plain'}})).data"
        ),
        {"method": "PATCH", "body": "text", "type": "text/plain", "own": "y"},
    ),
    "axios interceptor": (
        AXIOS + "axios.interceptors.request.use((c) => { c.headers['X-Own'] = 'i'; return c });",
        "(await axios.get(base + '/get')).data",
        {"own": "i"},
    ),
    "request": (
        REQUEST,
        "await done((cb) => request({url: base + '/get', qs: {a: {b: 1}}, json: true}, cb))",
        [200, {"method": "GET", "path": "/get?a%5Bb%5D=1"}],
    ),
    "request.post form": (
        REQUEST,
        "await done((cb) => request.post(base + '/post', {form: {a: '가', b: [1, 2]}, json: true}, cb))",
        [
            200,
            {
                "method": "POST",
                "body": "a=%EA%B0%80&b%5B0%5D=1&b%5B1%5D=2",
                "type": "application/x-www-form-urlencoded",
            },
        ],
    ),
    "request json body": (
        REQUEST,
        "await done((cb) => request({uri: base + '/post', method: 'POST', json: {a: 1}, auth: {bearer: 't'}}, cb))",
        [200, {"body": '{"a":1}', "type": "application/json", "auth": "Bearer t"}],
    ),
    "request.defaults": (
        REQUEST,
        (
            "await done((cb) => request.defaults({headers: {'X-Own': 'd'}, json: true}).put({url: base + "
            "'/x', body: {b: 2}}, cb))"
        ),
        [200, {"method": "PUT", "body": '{"b":2}', "own": "d"}],
    ),
    "request-promise": (PROMISE, "await rp({uri: base + '/get', json: true})", {"method": "GET", "path": "/get"}),
    "request-promise post": (
        PROMISE,
        (
            "await rp.post({uri: base + '/post', body: {a: 1}, json: true, resolveWithFullResponse: "
            "true}).then((r) => r.body)"
        ),
        {"method": "POST", "body": '{"a":1}'},
    ),
    "request-promise-native": (
        "const rp = require('request-promise-native');",
        "JSON.parse(await rp(base + '/get'))",
        {"path": "/get"},
    ),
    "superagent.get": (
        AGENT,
        "(await superagent.get(base + '/get').query({a: 1}).query('b=2').set('X-Own', 's')).body",
        {"path": "/get?a=1&b=2", "own": "s"},
    ),
    "superagent.post": (
        AGENT,
        "(await superagent.post(base + '/post').send({a: 1}).send({b: 2}).auth('u', 'p')).body",
        {"body": '{"a":1,"b":2}', "type": "application/json", "auth": "Basic dTpw"},
    ),
    "superagent form": (
        AGENT,
        "(await superagent('POST', base + '/post').type('form').send({a: '1'})).body",
        {"body": "a=1", "type": "application/x-www-form-urlencoded"},
    ),
    "superagent.end": (
        AGENT,
        "await new Promise((yes, no) => superagent.get(base + '/get').end((e, r) => e ? no(e) : yes(r.body)))",
        {"path": "/get"},
    ),
    "node-fetch": (
        FETCH,
        "await (await fetch(base + '/get', {headers: new fetch.Headers({'X-Own': 'f'})})).json()",
        {"method": "GET", "own": "f"},
    ),
    "fetch": (
        "",
        (
            "await fetch(base + '/post', {method: 'POST', body: JSON.stringify({a: 1}), headers: "
            "{'Content-Type': 'application/json'}}).then((r) => r.json())"
        ),
        {"method": "POST", "body": '{"a":1}', "type": "application/json"},
    ),
    "fetchUrl": (
        "const {fetchUrl} = require('fetch');",
        (
            "await new Promise((yes, no) => fetchUrl(base + '/get', (e, meta, body) => e ? no(e) : "
            "yes([meta.status, JSON.parse(body.toString())])))"
        ),
        [200, {"path": "/get"}],
    ),
    "a body of bytes": (
        AXIOS,
        (
            "(await axios.post(base + '/post', Buffer.from([1, 255, 65]), {headers: {'Content-Type': "
            "'application/octet-stream'}})).data"
        ),
        {"body": "\x01ÿA"},
    ),
    "several at once": (
        AXIOS,
        "(await Promise.all([1, 2, 3].map((n) => axios.get(base + '/' + n)))).map((r) => r.data.path).join()",
        "/1,/2,/3",
    ),
    "a redirect": (AXIOS, "(await axios.get(base + '/moved')).data", {"path": "/get"}),
    "no redirect": (
        REQUEST,
        "await done((cb) => request({url: base + '/moved', followRedirect: false}, cb))",
        [302, ""],
    ),
    "a redirect by hand": ("", "(await fetch(base + '/moved', {redirect: 'manual'})).headers.get('location')", "/get"),
    "EUC-KR by request": (
        REQUEST,
        (
            "require('iconv-lite').decode((await done((cb) => request({url: base + '/bytes', encoding: "
            "null}, cb)))[1], 'euc-kr')"
        ),
        "한글",
    ),
    "bytes by axios": (
        AXIOS,
        "(await axios.get(base + '/bytes', {responseType: 'arraybuffer'})).data.toString('hex')",
        "c7d1b1db",
    ),
    "bytes by fetch": ("", "new Uint8Array(await (await fetch(base + '/bytes')).arrayBuffer()).length", 4),
}
"""Library: how it is set up, what is awaited, and what must be in its value."""


def contains(value, expected):
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(contains(value.get(key), part) for key, part in expected.items())
    if isinstance(expected, list):
        return len(value) == len(expected) and all(map(contains, value, expected))
    return value == expected


@pytest.mark.parametrize("name", CALLS)
def test_each_library_calls_as_its_authors_are_used_to(call, name):
    setup, expression, expected = CALLS[name]
    outcome = call(setup, expression)
    assert isinstance(outcome, Answered), outcome
    assert contains(outcome.result["value"], expected), outcome.result["value"]


FAILURES = {
    "axios status": (
        AXIOS,
        (
            "await axios.get(base + '/missing').catch((e) => [e.message, e.response.status, e.response.data, "
            "e.isAxiosError])"
        ),
        ["Request failed with status code 404", 404, MISSING, True],
    ),
    "axios validateStatus": (AXIOS, "(await axios.get(base + '/missing', {validateStatus: () => true})).status", 404),
    "axios time-out": (
        AXIOS,
        "await axios.get(base + '/hang', {timeout: 50}).catch((e) => [e.message, e.code])",
        ["timeout of 50ms exceeded", "ECONNABORTED"],
    ),
    "axios name": (
        AXIOS,
        "await axios.get('http://nowhere.example/').catch((e) => [e.message, e.code])",
        ["The host name could not be resolved", "ENOTFOUND"],
    ),
    "request status": (REQUEST, "await done((cb) => request(base + '/missing', cb))", [404, json.dumps(MISSING)]),
    "request time-out": (
        REQUEST,
        "await done((cb) => request({url: base + '/hang', timeout: 50}, cb)).catch((e) => e.code)",
        "ETIMEDOUT",
    ),
    "request without a place": (REQUEST, "await done((cb) => request({}, cb)).catch((e) => e.code)", "EBLOCKED"),
    "request-promise status": (
        PROMISE,
        "await rp({uri: base + '/missing', json: true}).catch((e) => [e.name, e.statusCode, e.message, e.error])",
        ["StatusCodeError", 404, '404 - {"error":"없음"}', MISSING],
    ),
    "request-promise simple": (
        PROMISE,
        "(await rp({uri: base + '/missing', simple: false, resolveWithFullResponse: true})).statusCode",
        404,
    ),
    "request-promise name": (
        PROMISE,
        "await rp('http://nowhere.example/').catch((e) => [e.name, e.cause.code])",
        ["RequestError", "ENOTFOUND"],
    ),
    "superagent status": (
        AGENT,
        (
            "await superagent.get(base + '/missing').catch((e) => [e.message, e.status, e.response.body, "
            "e.response.notFound])"
        ),
        ["Not Found", 404, MISSING, True],
    ),
    "fetch status": (
        "",
        "await fetch(base + '/missing').then(async (r) => [r.ok, r.status, r.statusText, await r.json()])",
        [False, 404, "Not Found", MISSING],
    ),
    "fetch name": (
        "",
        "await fetch('http://nowhere.example/').catch((e) => [e.name, e.code])",
        ["FetchError", "ENOTFOUND"],
    ),
    "fetch no json": (
        "",
        "await fetch(base + '/bytes').then((r) => r.json()).catch((e) => [e.name, e.type])",
        ["FetchError", "invalid-json"],
    ),
    "a header that may not be set": (
        AXIOS,
        "await axios.get(base + '/get', {headers: {Host: 'x'}}).catch((e) => e.code)",
        "EBLOCKED",
    ),
    "a method that does not exist": (
        AXIOS,
        "await axios({url: base + '/get', method: 'trace'}).catch((e) => e.code)",
        "EBLOCKED",
    ),
    "a body that is too large": (
        AXIOS,
        "await axios.post(base + '/post', 'x'.repeat(3e7)).catch((e) => e.message)",
        "The request is too large: at most 409600 characters",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_each_library_fails_as_its_authors_are_used_to(call, name):
    setup, expression, expected = FAILURES[name]
    outcome = call(setup, expression)
    assert isinstance(outcome, Answered), outcome
    assert outcome.result["value"] == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:9001/2018-06-01/runtime",
        "http://[::1]/",
        "file:///etc/passwd",
    ],
)
def test_addresses_of_our_own_network_are_refused(call, url):
    outcome = call(AXIOS, f"await axios.get({url!r}).catch((e) => e.code)")
    assert outcome.result == {"value": "EBLOCKED"}


def test_the_sixth_call_of_a_run_is_refused_and_never_sent(call, server):
    expression = (
        "await Promise.all([1, 2, 3, 4, 5, 6].map((n) => axios.get(base + '/' + n).then(() => 'ok', (e) => e.message)))"
    )
    outcome = call(AXIOS, expression)
    assert outcome.result["value"] == ["ok"] * 5 + ["A script may make at most 5 HTTP calls a run"]
    assert len(server.requests) == 5


def test_calls_are_counted_anew_in_each_run(call):
    for _ in range(2):
        assert isinstance(
            call(AXIOS, "(await Promise.all([1, 2, 3].map((n) => axios.get(base + '/' + n)))).length"), Answered
        )


def test_each_call_carries_the_idempotency_key_and_its_number(call, server):
    call(AXIOS, "await axios.post(base + '/1') && await axios.post(base + '/2') && 1")
    assert [request.header("idempotency-key") for request in server.requests] == [
        "shop:kim:1:2:1:1",
        "shop:kim:1:2:1:2",
    ]


def test_an_authors_own_idempotency_key_stands(call, server):
    call(AXIOS, "(await axios.post(base + '/1', null, {headers: {'idempotency-key': 'own'}})).status")
    assert server.requests[0].header("idempotency-key") == "own"


def test_every_call_is_noted_without_secrets(call, server):
    outcome = call(AXIOS, "(await axios.get(base + '/get?q=1&access_token=abc')).status")
    (line,) = outcome.notes
    assert line.startswith(f"GET http://a.example:{server.port}/get?q=1&access_token=*** 200 ")
    assert line.endswith(" ms")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@a.example/b#c", "https://a.example/b"),
        ("https://a.example/?apiKey=1&b=2", "https://a.example/?apiKey=***&b=2"),
        ("https://[broken", "a URL that cannot be read"),
    ],
)
def test_a_shown_url_holds_no_secret(url, shown):
    assert shown_url(url) == shown


def test_a_call_that_hangs_ends_with_the_run(call):
    outcome = call(AXIOS, "(await axios.get(base + '/hang')).status", timeout_ms=400)
    assert isinstance(outcome, EffectFailed)
    assert outcome.name in ("TimeoutError", "Error")


def test_an_answer_that_comes_after_its_run_does_not_reach_the_next(call, server):
    """The first run ends while its call is still on its way; ids of calls begin anew in each run."""
    early = call(AXIOS, "axios.get(base + '/hang', {timeout: 60}) && 1")
    assert early.result == {"value": 1}
    late = call(AXIOS, "(await new Promise((yes) => setTimeout(yes, 120)), await axios.get(base + '/own')).data.path")
    assert late.result == {"value": "/own"}


def test_an_answer_that_comes_between_two_runs_is_dropped(call):
    call(AXIOS, "axios.get(base + '/hang', {timeout: 30}) && 1")
    for thread in threading.enumerate():
        if thread.name == CALL_THREAD:
            thread.join()
    outcome = call(AXIOS, "(await axios.get(base + '/own')).data.path")
    assert outcome.result == {"value": "/own"}


def test_the_largest_calls_pass_the_border(call, server):
    five = "[1, 2, 3, 4, 5].map((n) => fetch(base + '/missing', {method: 'POST', body: '가'.repeat(400000)}))"
    assert call("", f"(await Promise.all({five})).map((r) => r.status).join()").result == {
        "value": "404,404,404,404,404"
    }
    assert [len(request.body) for request in server.requests] == [1_200_000] * 5


def test_a_flood_of_calls_is_refused_where_it_arises(call, server):
    flood = "Array.from({length: 2000}, () => fetch(base + '/missing').then(() => 1, () => 0))"
    assert call("", f"(await Promise.all({flood})).filter((n) => n).length").result == {"value": 5}
    assert len(server.requests) == 5


def test_the_host_counts_calls_itself(server):
    answers: list[Any] = []
    calls = HttpCalls(
        client_for(server, "a.example"),
        idempotency_key="k",
        allowed=True,
        seconds_left=lambda: 5.0,
        answer=answers.append,
        note=lambda line: None,
    )
    for number in range(7):
        calls.start({"id": number, "method": "GET", "url": f"http://a.example:{server.port}/missing", "headers": {}})
    for thread in threading.enumerate():
        if thread.name == CALL_THREAD:
            thread.join()
    assert sum("status" in answer for answer in answers) == 5
    assert sum(answer.get("error", {}).get("code") == "ETOOMANYCALLS" for answer in answers) == 2


@pytest.mark.parametrize(
    "call",
    [
        None,
        {},
        {"id": "1", "method": "GET", "url": "x", "headers": {}},
        {"id": 1, "method": "GET", "url": "x", "headers": []},
    ],
)
def test_a_call_that_the_prelude_never_makes_ends_the_run(server, call):
    calls = HttpCalls(
        client_for(server), idempotency_key="k", allowed=True, seconds_left=lambda: 1.0, answer=print, note=print
    )
    with pytest.raises(ChildEnded):
        calls.start(call)


def test_what_a_callback_throws_fails_the_run(call):
    outcome = call(REQUEST, "await new Promise(() => request(base + '/get', () => { throw new TypeError('in it') }))")
    assert isinstance(outcome, EffectFailed)
    assert (outcome.name, outcome.message) == ("TypeError", "in it")


STARSHIPS = {
    "count": 1,
    "results": [{"name": "Death Star", "model": "DS-1 Orbital Battle Station", "manufacturer": "Imperial"}],
}


class OnAnotherPort(GuardedClient):
    """The flow names port 443, which a test may not listen on."""

    port = 0

    def send(self, request, **options):
        place = "https://swapi.dev"
        assert request.url.startswith(f"{place}/")
        moved = type(request)(
            method=request.method,
            url=f"{place}:{self.port}{request.url.removeprefix(place)}",
            headers=request.headers,
            body=request.body,
        )
        return super().send(moved, **options)


def test_the_script_of_closers_guide_runs_unchanged_over_tls(authority, trusting):  # noqa: F811 - fixtures
    flow = json.loads(FLOW.read_text(encoding="utf-8"))
    script = next(node["data"]["script"] for node in flow["nodes"] if node["type"] == "sandbox")
    tls = server_context(authority.issue_cert("swapi.dev"))
    with LoopbackServer(answering(200, json.dumps(STARSHIPS).encode(), JSON_TYPE), tls=tls) as server:
        client = OnAnotherPort(
            resolve=lambda _host, _port: [server.host],
            local_targets=frozenset({("swapi.dev", server.port)}),
            ssl_context=trusting,
        )
        client.port = server.port
        host = ScriptHost(client)
        try:
            outcome = host(script_call(script))
        finally:
            host.close()
        assert server.requests[0].path == "/api/starships"
        assert server.requests[0].header("accept") == "application/json"
    assert isinstance(outcome, Answered), outcome
    assert outcome.result == {"data": STARSHIPS}
