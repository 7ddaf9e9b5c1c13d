"""`malgil secret` beside a running local cloud: values go in and never come out."""

import json

import pytest

from infra.local.embedded import client

KEY = "sk-proj-0123456789abcdef"


def stored(cloud, name):
    return client("secretsmanager", cloud.aws_endpoint).get_secret_value(SecretId=f"malgil/local/back/{name}")[
        "SecretString"
    ]


def test_a_credential_is_stored_listed_changed_and_deleted(cloud, malgil, bot):
    first = malgil("secret", "set", bot, "openai", typed=KEY + "\n")
    assert (first.returncode, first.stdout) == (0, "back/openai: 만들었습니다 / made\n"), first.stderr
    assert json.loads(stored(cloud, "openai")) == {"apiKey": KEY}

    account = json.dumps({"type": "service_account", "private_key": "-----BEGIN\n"}, indent=2)
    again = malgil("secret", "set", bot, "openai", typed=account)
    assert again.stdout.startswith("back/openai: 바꾸었습니다 / changed; ")
    assert json.loads(stored(cloud, "openai")) == json.loads(account)

    listed = malgil("secret", "list", bot)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["openai"]

    assert malgil("secret", "delete", bot, "openai", "--yes").stdout == "back/openai: 지웠습니다 / deleted\n"
    assert malgil("secret", "list", bot).stdout == "없습니다 / none\n"

    assert malgil("secret", "set", bot, "openai", typed=KEY).returncode == 0
    assert json.loads(stored(cloud, "openai")) == {"apiKey": KEY}
    for done in (first, again, listed):
        assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("typed", ["", " \n", "two words", "[1]", '{"apiKey": "' + "x" * 20_000 + '"}', '{"key": '])
def test_a_value_of_another_form_is_refused_without_being_shown(malgil, bot, typed):
    done = malgil("secret", "set", bot, "odd", typed=typed)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert typed.strip() == "" or typed not in done.stderr
    assert "odd" not in malgil("secret", "list", bot).stdout


@pytest.mark.parametrize("name", ["a/b", "이름", "x" * 65])
def test_a_name_has_a_form(malgil, bot, name):
    done = malgil("secret", "set", bot, name, typed=KEY)
    assert done.returncode == 1
    assert "is not the name of a credential" in done.stderr


def test_a_bot_that_is_not_there_is_told(malgil, bot):
    assert malgil("secret", "set", "bakc", "openai", typed=KEY).returncode == 1
    assert malgil("secret", "list", "bakc").returncode == 1


def test_a_credential_that_is_not_there_is_told(malgil, bot):
    done = malgil("secret", "delete", bot, "nobody", "--yes")
    assert (done.returncode, done.stderr) == (1, "malgil: bot 'back' has no credential 'nobody'\n")


def test_deleting_asks_first(malgil, bot):
    malgil("secret", "set", bot, "kept", typed=KEY)
    assert malgil("secret", "delete", bot, "kept", typed="n\n").returncode == 1
    assert "kept" in malgil("secret", "list", bot).stdout
