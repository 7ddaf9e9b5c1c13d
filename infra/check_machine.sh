#!/bin/sh
# Prints the path of a Python that can make the environment, or says in one screen what this machine lacks.
# Plain sh, because it runs before there is a Python to rely on. PYTHON chooses another interpreter.
set -u

oldest='(3, 11)'
can_run="import sys; sys.exit(sys.version_info < $oldest)"
can_make_environments='import ensurepip, venv'

. "$(dirname "$0")/apt.sh"

find_python() {
  # A name on PATH is no proof: version managers put shims there that only print a hint.
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c "$can_run" >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

if ! python=$(find_python); then
  say "" \
    "Malgil needs Python 3.11 or newer; none of these works: ${PYTHON:-python3 python3.13 python3.12 python3.11}" \
    "말길을 실행하려면 Python 3.11 이상이 필요합니다." "" \
    "  Debian 12+, Ubuntu 24.04+   sudo apt-get install python3 python3-venv" \
    "  macOS (Homebrew)            brew install python@3.13" "" \
    "Then run make again, or name another Python: make PYTHON=/path/to/python3.12 ..." \
    "설치한 뒤 make를 다시 실행하세요. 다른 Python을 쓰려면 PYTHON=경로를 붙이세요." ""
  exit 1
fi

if ! "$python" -c "$can_make_environments" >/dev/null 2>&1; then
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if ! apt_install "$package" "which Debian and Ubuntu keep apart from Python" ||
    ! "$python" -c "$can_make_environments" >/dev/null 2>&1; then
    say "" \
      "$python cannot make virtual environments (its module ensurepip is missing)." \
      "$python 에 가상 환경 모듈(ensurepip)이 없습니다. 다음 명령을 실행한 뒤 make를 다시 실행하세요." "" \
      "  sudo apt-get install $package" ""
    exit 1
  fi
fi

printf '%s\n' "$python"
