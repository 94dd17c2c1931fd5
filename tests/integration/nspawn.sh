#!/usr/bin/env bash
# Boots a real systemd as PID 1 of a container over a prepared root folder, runs one script in it, and ends it.
#
# nspawn.sh ROOT OUT SCRIPT [NSPAWN-OPTION...]: the host's /usr is borrowed read-only, OUT is /out inside, SCRIPT runs
# once systemd is up. Ends when the script made OUT/done, or after LIMIT (default 90) seconds with status 1.
set -uo pipefail
root=$(readlink -f "$1") out=$(readlink -f "$2") script=$(readlink -f "$3")
shift 3

chmod 755 "$root"
mkdir -p "$root"/{etc/systemd/system,var/lib,var/log,var/cache,tmp,run,proc,sys,dev,root,usr,out}
for name in bin lib lib64 sbin; do ln -sfn "usr/$name" "$root/$name"; done
chmod 1777 "$root/tmp"
ln -sfn ../run "$root/var/run"
for file in os-release passwd group nsswitch.conf ld.so.cache; do cp "/etc/$file" "$root/etc/"; done
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
ln -sf /dev/null "$root/etc/systemd/system/systemd-firstboot.service"
cp "$script" "$root/script"
chmod 755 "$root/script"
cat >"$root/etc/systemd/system/script.service" <<UNIT
[Unit]
Wants=systemd-journald.service
After=systemd-journald.service
[Service]
ExecStart=/script
UNIT
printf '[Unit]\nWants=script.service\n' >"$root/etc/systemd/system/t.target"

systemd-nspawn --quiet --directory="$root" --bind-ro=/usr --bind="$out:/out" --register=no --keep-unit \
  --private-network "$@" /lib/systemd/systemd --unit=t.target --log-target=console </dev/null &
container=$!
tenths=0
while [ ! -e "$out/done" ] && [ $tenths -lt $((${LIMIT:-90} * 10)) ] && kill -0 $container 2>/dev/null; do
  sleep 0.1
  tenths=$((tenths + 1))
done
kill $container 2>/dev/null
wait $container
[ -e "$out/done" ]
