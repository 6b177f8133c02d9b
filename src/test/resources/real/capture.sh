#!/bin/sh
# Captures the verbose output of this project's own build, once well and once with an error, into maven-build.log.gz:
#   src/test/resources/real/capture.sh
# Works on a copy, with an empty environment, and replaces what belongs to one machine by placeholders.
set -eu
project=$(cd "$(dirname "$0")/../../../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$project/pom.xml" "$project/src" "$project/sql" "$copy/"

build() {
    (cd "$copy" && env -i PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 \
        mvn -o -X -e -Dstyle.color=always -DskipTests compile 2>&1) || true
}

{
    build
    broken="$copy/src/main/java/tailrace/http/Routes.java"
    sed 's/^public final class Routes {/& int broken = "not a number";/' "$broken" > "$copy/broken"
    mv "$copy/broken" "$broken"
    build
} | sed -e "s#$copy#/home/dev/tailrace#g" \
        -e "s#$HOME#/home/dev#g" \
        -e "s#env\.PATH: .*#env.PATH: /usr/bin:/bin#" \
        -e "s#user\.name: .*#user.name: dev#" \
        -e "s#https\{0,1\}://[a-z.]*\(repo\.maven\|repository\|people\)\.apache\.org#https://packages.example#g" \
        -e "s#os\.version: .*#os.version: 6.1.0#" \
        -e "s#\(OS name: \"[a-z A-Z]*\", version: \"\)[^\"]*#\16.1.0#" |
    gzip -9n > "$(dirname "$0")/maven-build.log.gz"
