#!/usr/bin/env bash
# Install what the tests need from Debian and this machine lacks: Node.js, PostgreSQL, the browsers, the HTML checker's Java,
# fonts for Arabic and Chinese. As root it installs; as anyone else it says what to install. A machine that has everything is left alone.
#
# Usage: tools/system_packages.sh venv|node|server|test   (each with what those before it need)
set -euo pipefail

missing=()

need_command() { # command, package
  command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

need_font() { # file name pattern, package
  # By file, not by fc-list: fontconfig itself may be missing, and comes with the browser.
  local found
  found=$(find /usr/share/fonts /usr/local/share/fonts ~/.fonts ~/.local/share/fonts -name "$1" -print -quit 2>/dev/null || true)
  [[ -n $found ]] || missing+=("$2")
}

need_library() { # file name, package
  # By its path: ldconfig is not on everyone's PATH.
  [[ $(/sbin/ldconfig -p 2>/dev/null || true) == *"$1"* ]] || missing+=("$2")
}

need_postgresql() {
  # Debian keeps the server's programs off the PATH, in a folder of each version's.
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null 2>&1 || missing+=(postgresql)
}

need_venv() {
  # Debian's python3 cannot make an environment without this package.
  "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
}

need_venv
if [[ ${1:?say venv, node, server or test} != venv ]]; then
  need_command npm npm # and with it Node.js
fi
if [[ $1 == server || $1 == test ]]; then
  need_postgresql
fi
if [[ $1 == test ]]; then
  need_command chromium chromium
  need_command chromium-headless-shell chromium-headless-shell # a visitor costs a third of what it does in Chromium
  need_command firefox-esr firefox-esr
  need_command java default-jre-headless
  need_library libatomic.so.1 libatomic1 # Playwright's own Node.js asks for it
  need_font 'NotoSansArabic-*' fonts-noto-core
  need_font 'NotoSansCJK-*' fonts-noto-cjk
fi

if ((${#missing[@]} == 0)); then
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "These Debian packages, or your system's like of them, must be installed first: ${missing[*]}" >&2
  exit 1
fi
if [[ $(id -u) != 0 ]]; then
  echo "These system packages are missing. Run this, then the same make command again:" >&2
  echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "==> installing system packages: ${missing[*]}"
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
  # The tests make and start a server of their own; Debian's would be made and started with the package. For this once: whoever
  # wants one of Debian's later gets it as usual.
  wish=/etc/postgresql-common/createcluster.d/flask-cookie-consent.conf
  mkdir -p "${wish%/*}"
  trap 'rm -f "$wish"' EXIT
  echo "create_main_cluster = false" >"$wish"
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
rm -f "$log"
