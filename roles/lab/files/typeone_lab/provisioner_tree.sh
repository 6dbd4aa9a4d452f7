# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
# Turn a fresh Debian tree ($1) into the lab's provisioner host: an ordinary server with a fixed address and sshd,
# on which nothing else runs yet.
# shellcheck shell=sh
set -eu
root=$1

echo provisioner >"$root/etc/hostname"
printf '127.0.0.1 localhost\n192.0.2.2 provisioner\n' >"$root/etc/hosts"
mkdir -p "$root/etc/systemd/network" "$root/root/.ssh" "$root/var/lib/typeone/cache" \
    "$root/srv/typeone/www/images" "$root/srv/typeone/www/ramdisks"
chmod 0700 "$root/root/.ssh"

cat >"$root/etc/systemd/network/10-host0.network" <<'END'
[Match]
Name=host0

[Network]
Address=192.0.2.2/24
LinkLocalAddressing=ipv6
IPv6AcceptRA=no
LLDP=no
END

# Keys belong to one lab, not to an archive that many labs share.
rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
UseDNS no
END

chroot "$root" passwd --quiet --lock root
chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service
for unit in systemd-networkd-wait-online.service systemd-resolved.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer nginx.service dnsmasq.service \
    apparmor.service; do
    chroot "$root" systemctl --quiet disable "$unit" 2>/dev/null || true
done
