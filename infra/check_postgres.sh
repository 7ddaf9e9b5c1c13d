#!/bin/sh
# Sees to a PostgreSQL server for the tests of CLOSER's dashboards. Never fails: without one those tests are skipped
# and say why.
set -u
. "$(dirname "$0")/apt.sh"

is_there() {
  command -v initdb >/dev/null 2>&1 && return
  for program in /usr/lib/postgresql/*/bin/initdb /opt/homebrew/opt/postgresql*/bin/initdb \
    /usr/local/opt/postgresql*/bin/initdb; do
    if [ -x "$program" ]; then return 0; fi
  done
  return 1
}

if is_there || { apt_install postgresql "whose server the tests of CLOSER's dashboards start" && is_there; }; then
  exit 0
fi
say "" \
  "There is no PostgreSQL server here: the tests of CLOSER's dashboards will be skipped." \
  "PostgreSQL 서버가 없어 CLOSER 대시보드 테스트를 건너뜁니다." "" \
  "  Debian, Ubuntu     sudo apt-get install postgresql" \
  "  macOS (Homebrew)   brew install postgresql@17" ""
exit 0
