# Sourced by ./run and ./test: says what happens, and installs Debian packages that are missing.
# shellcheck shell=bash

say() {
  if [ -t 1 ]; then
    printf '\033[1m==> %s\033[0m\n' "$*"
  else
    printf '==> %s\n' "$*"
  fi
}

warn() {
  printf 'warning: %s\n' "$*" >&2
}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# install_missing COMMAND:PACKAGE[+PACKAGE...] ... : installs the packages whose command is not there.
# Returns 1 when something is still missing afterwards; the caller decides how bad that is.
install_missing() {
  local pair found packages=() commands=()
  for pair in "$@"; do
    if ! command -v "${pair%%:*}" >/dev/null 2>&1; then
      commands+=("${pair%%:*}")
      IFS=+ read -r -a found <<<"${pair#*:}"
      packages+=("${found[@]}")
    fi
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    warn "${commands[*]} not found, and this is not Debian or Ubuntu: please install what is there called ${packages[*]}"
    return 1
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      warn "${commands[*]} not found; run as root once: apt-get install ${packages[*]}"
      return 1
    fi
    as_root=(sudo)
  fi
  say "Installing ${packages[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq || warn "apt-get update failed; trying with what is known"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
    { warn "could not install ${packages[*]}"; return 1; }
}

# require_python_venv: Python that can make environments of its own, which Debian packs apart.
require_python_venv() {
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install_missing "Python with venv:python3+python3-venv"
}

# require_rust: a toolchain, and a C compiler, which links Rust programs and builds SQLite and the cryptography.
require_rust() {
  if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
    export PATH="$HOME/.cargo/bin:$PATH"
  fi
  command -v cargo >/dev/null 2>&1 || die "no Rust toolchain found; install one as https://rustup.rs says, then start again"
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(cargo --version | cut -d' ' -f2)
  if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
    die "Rust $wanted or newer is needed, and this is $found; run: rustup update stable"
  fi
  install_missing cc:gcc+libc6-dev || die "a C compiler is needed to build"
}
