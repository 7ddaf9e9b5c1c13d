#!/bin/sh
# Sees to a Chromium with Korean letters for the tests of the web chat. Never fails: without one those tests are skipped
# and say why. CHROMIUM names one that lies elsewhere.
set -u
. "$(dirname "$0")/apt.sh"

is_there() {
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ]
}

has_korean() {
  ! command -v fc-list >/dev/null 2>&1 || [ -n "$(fc-list :lang=ko family)" ]
}

if ! is_there; then apt_install chromium "in which the tests of the web chat run"; fi
if is_there; then
  has_korean || apt_install fonts-nanum "the Korean letters of the tests' pictures" ||
    say "There are no Korean fonts here: pictures of the web chat will show boxes." \
      "한글 글꼴이 없어 웹 채팅 화면의 글자가 네모로 보입니다."
  exit 0
fi
say "" \
  "There is no Chromium here: the tests of the web chat in a browser will be skipped." \
  "Chromium이 없어 웹 채팅의 브라우저 테스트를 건너뜁니다." "" \
  "  Debian             sudo apt-get install chromium fonts-nanum" \
  "  Ubuntu             sudo snap install chromium; CHROMIUM=/snap/bin/chromium make test" \
  "  macOS (Homebrew)   brew install --cask google-chrome" \
  "                     CHROMIUM='/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' make test" ""
exit 0
