#!/bin/sh
# Makes a local PostgreSQL image for this module's tests without a registry:
# a small Debian root file system by debootstrap, with Debian's PostgreSQL in
# it, brought in by "docker import". Only a Debian mirror is needed.
#
#   apt-get install docker.io debootstrap   # once; the Docker daemon must run
#   ./mkimage.sh [REPO:TAG]                 # as root
#
# REPO:TAG  the image's name; without it kin-postgres:MAJOR, MAJOR being the
#           PostgreSQL version that the Debian release ships.
#
# Environment:
#   SUITE   Debian release to build from (default: this machine's, else stable)
#   MIRROR  Debian mirror (default: http://deb.debian.org/debian)
#
# The image reads the same variables as Docker's official postgres image, as
# far as tests want them: POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD,
# POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, PGDATA, and PGPORT (which
# the server itself reads). One difference: without POSTGRES_PASSWORD and
# POSTGRES_HOST_AUTH_METHOD it trusts everyone. It is for tests only.
set -eu

codename=
if [ -r /etc/os-release ]; then
	codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-}" || true)
fi
suite=${SUITE:-${codename:-stable}}
mirror=${MIRROR:-http://deb.debian.org/debian}

die() { echo "mkimage.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "debootstrap and chroot need root"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
docker info >/dev/null 2>&1 || die "no Docker daemon answers: start dockerd first"

work=$(mktemp -d)
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM

# 1. The base system. minbase holds the essential packages and apt, no more.
debootstrap --variant=minbase "$suite" "$root" "$mirror"

# 2. PostgreSQL. Its package would make a cluster and start it, in this chroot,
#    on this machine's ports: both are turned off before it is installed.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/etc/postgresql-common"
echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
	apt-get install -y --no-install-recommends postgresql

bindir=$(cd "$root" && ls -d usr/lib/postgresql/*/bin)
major=$(basename "$(dirname "$bindir")")
image=${1:-kin-postgres:$major}

# 3. What a container does not need. The vfs storage driver copies the whole
#    image for every container, so a small one starts sooner.
rm -rf "$root/var/lib/apt/lists/"* "$root/var/cache/apt/"* "$root/var/log/"* \
	"$root/usr/share/doc/"* "$root/usr/share/man/"* "$root/usr/share/locale/"* \
	"$root/usr/lib/postgresql/$major/lib/bitcode" \
	"$root/etc/resolv.conf" "$root/etc/hostname"
mkdir -p "$root/var/log/postgresql"

# 4. The entry point: initdb on the first start, then the server as the user
#    postgres, being process 1 so that it gets Docker's stop signal itself.
cat >"$root/usr/local/bin/entrypoint" <<'ENTRYPOINT'
#!/bin/sh
set -eu
# "docker run IMAGE -c fsync=off" means options for the server.
case ${1:-} in '' | -*) set -- postgres "$@" ;; esac
# Any other command is run as it is.
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /var/run/postgresql
	chown postgres:postgres "$PGDATA" /var/run/postgresql
	chmod 700 "$PGDATA"
	exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	user=${POSTGRES_USER:-postgres}
	db=${POSTGRES_DB:-$user}
	method=trust
	# With a password: initdb reads it from a file, which is then removed.
	pwfile=
	if [ -n "${POSTGRES_PASSWORD:-}" ]; then
		method=scram-sha-256
		pwfile=$(mktemp)
		printf '%s\n' "$POSTGRES_PASSWORD" >"$pwfile"
	fi
	# shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of words
	initdb --pgdata="$PGDATA" --username="$user" --encoding=UTF8 --locale=C.UTF-8 \
		--auth=trust --no-sync ${pwfile:+--pwfile="$pwfile"} ${POSTGRES_INITDB_ARGS:-}
	rm -f "$pwfile"
	echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-$method}" >>"$PGDATA/pg_hba.conf"
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
	# Single-user mode: nothing listens before the real server does.
	if [ "$db" != postgres ]; then
		printf 'CREATE DATABASE "%s"\n' "$db" | postgres --single -D "$PGDATA" postgres
	fi
fi
exec "$@"
ENTRYPOINT
chmod 755 "$root/usr/local/bin/entrypoint"

# 5. The image, as one layer with the settings that a Dockerfile would give.
#    ("docker import" takes no STOPSIGNAL: to stop a container started by hand
#    at once rather than when its clients leave, run it with
#    --stop-signal SIGINT. The test removes its container by force.)
tar -C "$root" --numeric-owner --one-file-system --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -cf - . |
	docker import \
		--change "ENV PATH=/$bindir:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		--change 'ENV LANG=C.UTF-8' \
		--change 'ENV PGDATA=/var/lib/postgresql/data' \
		--change 'VOLUME /var/lib/postgresql/data' \
		--change 'EXPOSE 5432' \
		--change 'ENTRYPOINT ["/usr/local/bin/entrypoint"]' \
		--change 'CMD ["postgres"]' \
		--message "Debian $suite with its PostgreSQL $major, for tests" \
		- "$image" >/dev/null
echo "made the image $image"
