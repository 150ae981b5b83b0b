#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# install-packages.sh TARGET: installs the Debian packages that the make target needs and this machine lacks. Says nothing,
# and asks for nothing, when all are there.
set -eu

target=${1:?usage: install-packages.sh TARGET}
list=$(dirname "$0")/packages.txt

if ! command -v dpkg-query >/dev/null; then
  echo "imago: not a Debian system; $list names what 'make $target' needs" >&2
  exit 0
fi

wanted=$(awk -v target="$target" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == target) print $1 }' "$list")
[ -n "$wanted" ] || exit 0

# dpkg-query fails when it knows nothing of a package; its standard output still lists the others.
# shellcheck disable=SC2086 # one word per package
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii *//p') || true
missing=
for package in $wanted; do
  printf '%s\n' "$installed" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "imago: 'make $target' needs Debian packages that are absent:$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "imago: neither root nor sudo; as root run: apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  sudo=sudo
fi
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
