#!/usr/bin/env bash
# Debian 12 builds skopeo with an ocicrypt that calls no key provider; Debian 13's is unpacked beside it, with the C library that it
# was linked to, and run as it is. Prints the path of a command.
set -euo pipefail
folder="$1"
mkdir -p "$folder"/{lists/partial,cache/archives/partial,root}
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n' > "$folder/sources.list"
options=(-o Acquire::Retries=5 -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" -qq update
(cd "$folder" && apt-get "${options[@]}" -qq download skopeo libgpgme11t64 libassuan9 libgpg-error0 libsqlite3-0 libc6)
for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
loader=("$folder"/root/usr/lib*/ld-linux*)
libraries="$(dirname "$(find "$folder/root" -name 'libgpgme.so.*' | head -1)")"
printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s/root/usr/bin/skopeo" "$@"\n' "${loader[0]}" "$libraries" "$folder" > "$folder/skopeo"
chmod +x "$folder/skopeo"
printf '%s\n' "$folder/skopeo"
