# shellcheck shell=bash
# Sourced by tests/run: one function for each thing the tests stand on. Each does nothing when it is there already.

step() { # DESCRIPTION FUNCTION: run it, saying what it is when it takes more than a moment; one checkout at a time
    local started=$SECONDS log failed
    log=$(mktemp)
    exec 9>"$PIMAINS_CACHE/lock"
    flock -n 9 || { echo "waiting for another tests/run that prepares something in $PIMAINS_CACHE"; flock 9; }
    set +e # and no "if": its first command that fails ends the function
    (
        set -e
        "$2"
    ) >"$log" 2>&1 9>&-
    failed=$?
    set -e
    exec 9>&-
    if [ "$failed" != 0 ]; then
        cat "$log" >&2
        echo "tests/run: could not prepare: $1" >&2
        exit 1
    fi
    [ $((SECONDS - started)) -lt 2 ] || echo "prepared: $1 ($((SECONDS - started)) s)"
    rm -f "$log"
}

again() { # COMMAND...: what asks another machine is tried three times, and not for ever
    local try
    for try in 1 2 3; do
        timeout --kill-after=10 1200 "$@" && return
        echo "this failed (try $try of 3): $*"
        [ "$try" = 3 ] || sleep $((try * 15))
    done
    return 1
}

apt_get() { # WORDS...: waits for another apt that is at work, and for a mirror that is slow
    DEBIAN_FRONTEND=noninteractive again apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 -o Acquire::http::Timeout=60 "$@"
}

made_from() { # STAMP FILE...: true when STAMP was made from just these files
    local stamp=$1
    shift
    [ "$(cat "$stamp" 2>/dev/null)" = "$(cat "$@" | sha256sum)" ]
}

note_made_from() { # STAMP FILE...
    local stamp=$1
    shift
    cat "$@" | sha256sum >"$stamp"
}

test_tools() {
    local venv=$PIMAINS_CACHE/tools
    [ -e "$venv/unfinished" ] || ! made_from "$venv/made-from" tests/requirements.txt || return 0
    if [ "$(id -u)" = 0 ] && ! dpkg -s python3-venv >/dev/null 2>&1; then
        apt_get update
        apt_get install -y --no-install-recommends python3-venv
    fi
    # what is there stays usable meanwhile: another checkout may be tested with it. What somebody stopped half-way does not
    [ ! -e "$venv/unfinished" ] || rm -rf "$venv"
    mkdir -p "$venv"
    touch "$venv/unfinished"
    [ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv --system-site-packages "$venv"
    again "$venv/bin/pip" install -r tests/requirements.txt
    note_made_from "$venv/made-from" tests/requirements.txt
    rm "$venv/unfinished"
}

compiled() { # the library, before many Pythons do it at a time, whose half-written files would be copied by tests that copy it
    /usr/bin/python3 -m compileall -q lib
}

debian_packages() {
    local wanted missing=""
    wanted=$(sed 's/#.*//' tests/debian-packages.txt)
    for package in $wanted; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    apt_get update
    # shellcheck disable=SC2086  # a list of names
    apt_get install -y --no-install-recommends $missing
}

users() {
    for user in pimains pimains-log; do
        getent passwd "$user" >/dev/null ||
            adduser --system --group --no-create-home --home /var/lib/pimains --gecos "pimains" "$user"
    done
    getent passwd pimains-web >/dev/null ||
        adduser --system --ingroup pimains --no-create-home --home /var/lib/pimains --gecos "pimains" pimains-web
}

aioesphomeapi_versions() { # for Debian's python: the version Debian and our package bring, and the newest there is
    local newest oldest=25.1.0
    newest=$(cat tests/aioesphomeapi-newest.txt)
    for version in "$oldest" "$newest"; do
        [ -d "$PIMAINS_CACHE/aioesphomeapi-$version" ] && continue
        rm -rf "$PIMAINS_CACHE/aioesphomeapi-$version.new"
        # --ignore-installed: all of it comes from there, nothing from Debian's older packages
        again "$PIMAINS_CACHE/tools/bin/pip" install --ignore-installed --target "$PIMAINS_CACHE/aioesphomeapi-$version.new" "aioesphomeapi==$version"
        mv "$PIMAINS_CACHE/aioesphomeapi-$version.new" "$PIMAINS_CACHE/aioesphomeapi-$version"
    done
}

nut2() { # for Debian's python, as our package has it; found again by tests/ups/nut2_library.py
    local at
    at=$PIMAINS_CACHE/$(sed 's/ .*//; s/==/-/' debian/stdeb/nut2/sdist.txt)
    [ ! -d "$at" ] || return 0
    rm -rf "$at.new"
    again "$PIMAINS_CACHE/tools/bin/pip" install --no-deps --no-binary=:all: --require-hashes --target "$at.new" -r debian/stdeb/nut2/sdist.txt
    mv "$at.new" "$at"
}

pydevccu() { # a CCU that others have made, for trixie's Python; found again by tests/ups/pydevccu.py
    local at=$PIMAINS_CACHE/pydevccu-0.2.6
    [ ! -d "$at" ] || return 0
    rm -rf "$at.new"
    again "$PIMAINS_CACHE/tools/bin/pip" install --no-deps --ignore-requires-python --target "$at.new" pydevccu==0.2.6
    mv "$at.new" "$at"
}

lgpio() { # gpiozero and lgpio as Raspberry Pi OS has them, for bookworm's Python; for tests/meter/bench/gpio_machine.py
    local at=$PIMAINS_CACHE/lgpio-0.2.2.0
    [ ! -d "$at" ] || return 0
    rm -rf "$at.new"
    "$PIMAINS_CACHE/tools/bin/pip" install --no-deps --only-binary=:all: --python-version 3.11 --platform manylinux_2_34_x86_64 \
        --target "$at.new" gpiozero==2.0.1 lgpio==0.2.2.0
    mv "$at.new" "$at"
}

newest_python() { # a Python that ESPHome's newest version runs on
    for python in python3.13 python3.12 "$HOME"/.pyenv/versions/3.1[23]*/bin/python; do
        if command -v "$python" >/dev/null && "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
}

esphome_versions() { # 2026.6.5 runs on Debian's python, 2026.10.0 needs 3.12: left out, and said so by its tests, where there is none
    esphome_version 2026.6.5 /usr/bin/python3
    local python
    python=$(newest_python)
    [ -z "$python" ] || esphome_version 2026.10.0 "$python"
}

esphome_version() { # VERSION PYTHON
    local venv=$PIMAINS_CACHE/esphome-$1
    [ -e "$venv/unfinished" ] || ! [ -x "$venv/bin/esphome" ] || return 0
    rm -rf "$venv"
    mkdir "$venv"
    touch "$venv/unfinished"
    "$2" -m venv "$venv"
    again "$venv/bin/pip" install "esphome==$1"
    rm "$venv/unfinished"
}

firmware() { # plugs as Linux programs: firmware/<hash of their sources>/<version>/<kind>, found again by tests/plug/firmware.py
    local version kind
    for version in 2026.6.5 2026.10.0; do
        for kind in host host-metering; do
            firmware_program "$version" esphome-host "$kind" esphome/pimains-*.yaml tests/plug/esphome-host
        done
    done
    for kind in rpimp strip; do
        firmware_program 2026.10.0 esphome-others "$kind" tests/plug/esphome-host tests/plug/esphome-others
    done
}

firmware_program() { # VERSION DIRECTORY KIND SOURCE...: built in a copy, because esphome leaves its files beside the yaml
    local version=$1 directory=$2 kind=$3 copy=$PIMAINS_CACHE/firmware-objects/$1/$3 esphome=$PIMAINS_CACHE/esphome-$1/bin/esphome program
    shift 3
    [ -x "$esphome" ] || return 0
    # shellcheck disable=SC2046  # a list of names
    program=$PIMAINS_CACHE/firmware/$(cat $(find "$@" -type f | LC_ALL=C sort) | sha256sum | cut -c 1-16)/$version/$kind
    [ ! -x "$program" ] || return 0
    mkdir -p "$copy/tests/plug/$directory" "$(dirname "$program")"
    (
        flock 9
        [ ! -x "$program" ] || exit 0
        rm -rf "$copy"/esphome "$copy"/tests/plug/esphome-*/*
        mkdir "$copy/esphome"
        cp esphome/pimains-*.yaml "$copy/esphome"
        cp -r tests/plug/esphome-* "$copy/tests/plug"
        cd "$copy/tests/plug/$directory" || exit
        # what was compiled before stays in .esphome: after an edit of the yaml little is left to compile
        "$esphome" -q compile --only-generate "$kind.yaml"
        make -s -j"$(nproc)" -f ../esphome-host/Makefile
        cp plug "$program.new"
        mv "$program.new" "$program"
    ) 9>"$copy/lock"
    [ -x "$program" ]
}

web_libraries() { # Blockly and uPlot, which the pages of web load
    again debian/npm/fetch
}

packages() { # every .deb for the release this runs on, into dist/
    again debian/build
}

roots() { # what tests/*/packaging installs packages in: Debian with the packages that ours depend on, and nothing of ours
    [ "$(id -u)" = 0 ] || return 0
    local services="python3-requests python3-gpiozero python3-aiohttp python3-rrdtool python3-serial python3-asyncssh python3-ephem"
    # shellcheck disable=SC2086  # a list of names
    debian_root bookworm python3-protobuf python3-zeroconf python3-cryptography $services
    # shellcheck disable=SC2086
    debian_root trixie python3-aioesphomeapi python3-zombie-telnetlib systemd-sysv $services
    package_layer machine trixie dbus autofs sshfs openssh-server e2fsprogs # for tests/whole/booted.py
    package_layer nut trixie dbus nut-server nut-client # for tests/ups/nut_versions.py, and a machine that a UPS feeds
    package_layer pasting bookworm sudo rsync ucspi-tcp rrdtool curl openssl # for tests/whole/packaging/test_pasting.py
}

debian_root() { # RELEASE PACKAGE...
    local root=$PIMAINS_CACHE/root-$1 release=$1
    shift
    [ "$(cat "$root/made-with" 2>/dev/null)" != "$*" ] || return 0
    rm -rf "$root" "$root.new"
    # dpkg need not wait for the disk in a root that is thrown away
    # shellcheck disable=SC2016  # the words of another shell
    again sh -ec 'rm -rf "$0"; exec "$@"' "$root.new" mmdebstrap --variant=minbase --aptopt='Acquire::Retries "5"' --skip=cleanup/apt/lists --dpkgopt=force-unsafe-io --dpkgopt=path-exclude=/usr/share/locale/* \
        --include="adduser daemontools daemontools-run python3 $*" "$release" "$root.new"
    echo "$*" >"$root.new/made-with"
    mv "$root.new" "$root"
}

package_layer() { # NAME RELEASE PACKAGE...: what these packages add to that root, as root-RELEASE-NAME/upper
    local root=$PIMAINS_CACHE/root-$2 layer=$PIMAINS_CACHE/root-$2-$1 made_with
    shift 2
    made_with="$* on $(stat -c %i "$root") $(cat "$root/made-with")"
    [ "$(cat "$layer/made-with" 2>/dev/null)" != "$made_with" ] || return 0
    rm -rf "$layer" "$layer.new"
    mkdir -p "$layer.new/upper" "$layer.new/work" "$layer.new/root"
    # shellcheck disable=SC2016  # the words of another shell
    unshare --mount /bin/sh -ec '
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
        cd "$2/root"
        for aside in run var/lib/apt/lists var/cache/apt; do mount -t tmpfs tmpfs "$aside"; done
        mount -t proc proc proc
        mount --bind /etc/resolv.conf etc/resolv.conf
        printf "#!/bin/sh\nexit 101\n" >usr/sbin/policy-rc.d # nothing is started while it is installed
        chmod 755 usr/sbin/policy-rc.d
        shift 2
        export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
        chroot . apt-get -o Acquire::Retries=5 update
        chroot . apt-get -o Acquire::Retries=5 install -y --no-install-recommends "$@"
        rm usr/sbin/policy-rc.d
    ' layer "$root" "$layer.new" "$@"
    rm -rf "$layer.new/work" "$layer.new/root"
    echo "$made_with" >"$layer.new/made-with"
    mv "$layer.new" "$layer"
}

last_release() { # what tests/whole/packaging/test_upgrading.py upgrades from: last-release-COMMIT/{pimains_*.deb,checkout}, and what services need
    [ "$(id -u)" = 0 ] || return 0
    package_layer services bookworm rsync ucspi-tcp
    package_layer services trixie rsync ucspi-tcp
    local commit at
    commit=$(cat tests/whole/last-release.txt)
    at=$PIMAINS_CACHE/last-release-$commit
    [ ! -d "$at" ] || return 0
    # a checkout without its history: the test is skipped, and says so. It may be somebody else's
    git -c safe.directory='*' cat-file -e "$commit^{commit}" || return 0
    rm -rf "$at.new"
    mkdir -p "$at.new/checkout"
    git -c safe.directory='*' archive "$commit" | tar -x --no-same-owner --no-same-permissions -C "$at.new/checkout"
    cp -r "$at.new/checkout" "$at.new/build"
    again "$at.new/build/debian/build"
    mv "$at.new"/build/dist/pimains_*.deb "$at.new"
    rm -rf "$at.new/build"
    mv "$at.new" "$at"
}
