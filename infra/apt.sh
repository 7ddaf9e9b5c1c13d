# Functions of the scripts beside it, for machines that have apt-get.

say() { printf '%s\n' "$@" >&2; }

root_command() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Installs a package; fails where there is no apt-get, or where it would have to ask for a password.
apt_install() {
  command -v apt-get >/dev/null 2>&1 || return 1
  root_command true >/dev/null 2>&1 || return 1
  say "Installing $1, $2 ... / $1 패키지를 설치합니다 ..."
  root_command apt-get update -qq >/dev/null &&
    root_command env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}
