#!/bin/sh
# Installs what a fresh Debian machine lacks, and does nothing where it is there: need.sh postgres|browser
set -eu

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else
    echo "missing: $want. Run as root:  apt-get update && apt-get install -y --no-install-recommends $want" >&2
    exit 1
  fi
}

install() {
  want="$*"
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing: $want (Debian's names); install them with this system's package manager" >&2
    exit 1
  fi
  echo "installing: $want" >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $want >/dev/null
}

want=""
case "${1:-}" in
postgres)
  want=postgresql
  ls /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || [ -n "${HOTLINE_PG_BIN:-}" ] ||
    {
      # Only the binaries are wanted: no cluster of Debian's own that would run beside ours.
      as_root mkdir -p /etc/postgresql-common/createcluster.d
      echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.d/hotline.conf >/dev/null
      install postgresql
    }
  ;;
browser)
  command -v chromium >/dev/null 2>&1 || install chromium
  # Chinese text in screenshots needs a font with its glyphs.
  fc-list :lang=zh 2>/dev/null | grep -q . || install fontconfig fonts-noto-cjk
  ;;
*)
  echo "usage: need.sh postgres|browser" >&2
  exit 2
  ;;
esac
