# shellcheck shell=bash disable=SC2154,SC2034 # the variables are of parse.bash and of the script that reads both
# Writes what the answers of a set-up mean, under the folder $root (empty: the machine itself). Needs lib/parse.bash.

# port_name NAME_OR_MAC: the interface. $sys is /sys but in tests.
port_name() {
  local path
  if is_mac "$1"; then
    for path in "${sys:-/sys}"/class/net/*; do
      # VLANs and bridges have the address of their port.
      [ -e "$path/device" ] && [ "$(cat "$path/address" 2>/dev/null)" = "${1,,}" ] && { basename "$path"; return; }
    done
    return 1
  fi
  [ -e "${sys:-/sys}/class/net/$1" ] || return 1
  printf '%s\n' "$1"
}

# ports: those that there are, for messages and for the console.
ports() {
  local path driver
  for path in "${sys:-/sys}"/class/net/*; do
    [ -e "$path/device" ] || continue
    driver=$(readlink "$path/device/driver" 2>/dev/null) || driver="no driver"
    printf '%s (%s, %s)\n' "${path##*/}" "$(cat "$path/address")" "${driver##*/}"
  done
}

# resolve_ports: management and mirrors, as names of interfaces.
resolve_ports() {
  local port name
  mirrors=()
  if ! management=$(port_name "${setup[management_port]}"); then
    setup_errors+=("$setup_file: there is no port '${setup[management_port]}'; the ports are: $(ports | paste -sd'|' | sed 's/|/, /g')")
  fi
  for port in "${setup_mirrors[@]}"; do
    if name=$(port_name "$port"); then
      mirrors+=("$name")
      [ "$name" != "$management" ] || setup_errors+=("$setup_file: '$port' is the management port; a mirror needs a port of its own")
    else
      setup_errors+=("$setup_file: there is no port '$port'; the ports are: $(ports | paste -sd'|' | sed 's/|/, /g')")
    fi
  done
  [ ${#setup_errors[@]} -eq 0 ]
}

# capture_cpu INDEX: the CPU of a mirror port's reader, from the last one down; nothing where that would leave less than two for all else.
capture_cpu() {
  local cpus=${EGRESS_CPUS:-$(getconf _NPROCESSORS_ONLN)}
  [ $((cpus - ${#mirrors[@]})) -ge 2 ] && [ "$cpus" -ge 4 ] && printf '%s' $((cpus - 1 - $1))
  return 0
}

write_network() {
  local dir=$root/etc/systemd/network port server
  mkdir -p "$dir"
  rm -f "$dir"/10-egress-*.network
  {
    printf '[Match]\nName=%s\n\n[Network]\nLLDP=no\nEmitLLDP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n' "$management"
    if [ "${setup[management_address]}" = dhcp ]; then
      printf 'DHCP=ipv4\n'
    else
      printf 'Address=%s\n' "${setup[management_address]}"
      [ -z "${setup[management_gateway]:-}" ] || printf 'Gateway=%s\n' "${setup[management_gateway]}"
    fi
    for server in "${setup_dns[@]}"; do printf 'DNS=%s\n' "$server"; done
    for server in "${setup_ntp[@]}"; do printf 'NTP=%s\n' "$server"; done
    printf '\n[DHCPv4]\nUseHostname=no\nClientIdentifier=mac\n'
  } > "$dir/10-egress-management.network"
  for port in "${mirrors[@]}"; do
    cat > "$dir/10-egress-mirror-$port.network" <<NETWORK
# A mirror port only listens: no address, no protocol, no neighbour.
[Match]
Name=$port

[Link]
ActivationPolicy=up
RequiredForOnline=no
Promiscuous=yes
ARP=no
Multicast=no
AllMulticast=no

[Network]
DHCP=no
LinkLocalAddressing=no
IPv6AcceptRA=no
LLDP=no
EmitLLDP=no
ConfigureWithoutCarrier=yes
NETWORK
  done
}

write_mirrors() {
  local i
  mkdir -p "$root/etc/egress-image"
  {
    echo "# Mirror ports, and the CPU that reads each, if it has one to itself. Written by set-up."
    for i in "${!mirrors[@]}"; do
      printf '%s %s\n' "${mirrors[i]}" "$(capture_cpu "$i")"
    done
  } > "$root/etc/egress-image/mirrors"
}

write_firewall() {
  mkdir -p "$root/etc/nftables.d"
  cat > "$root/etc/nftables.d/management.nft" <<NFT
# Written by set-up: people come in by the management port.
table inet egress {
  chain management {
    iifname "$management" tcp dport 22 ct state new limit rate 30/minute burst 20 packets accept
  }
}
NFT
}

# secret NAME VALUE: a file that only the appliance can read; prints its name.
secret() {
  local file=$root/etc/egress-appliance/$1
  (umask 077 && printf '%s\n' "$2" > "$file")
  give_to_appliance "$file" 600
  printf '%s' "$1"
}

give_to_appliance() {
  chmod "$2" "$1"
  [ "$(id -u)" -ne 0 ] || ! id egress >/dev/null 2>&1 || chown egress:egress "$1"
}

write_router() {
  local entry=$1 name value local_address
  name=$(entry_name "$entry")
  local_address=$(field "$entry" local)
  printf '  - name: "%s"\n    address: "%s"\n    bgp:\n      local_address: "%s"\n      local_as: %s\n' \
    "$name" "$(field "$entry" address)" "${local_address:-${setup[management_address]%/*}}" "$(field "$entry" as)"
  value=$(field "$entry" port)
  [ -z "$value" ] || printf '      port: %s\n' "$value"
  value=$(field "$entry" md5)
  [ -z "$value" ] || printf '      password_file: "%s"\n' "$(secret "$name.md5" "$value")"
  value=$(field "$entry" snmp_community)
  [ -z "$value" ] || printf '    snmp: { community_file: "%s" }\n' "$(secret "$name.community" "$value")"
}

write_link() {
  local entry=$1 value hops match=
  hops=$(field "$entry" next_hop)
  printf '  - name: "%s"\n    router: "%s"\n    next_hops: ["%s"]\n' "$(entry_name "$entry")" "$(field "$entry" router)" "${hops//,/\", \"}"
  value=$(field "$entry" interface)
  [ -z "$value" ] || printf '    interface: "%s"\n' "$value"
  value=$(field "$entry" capacity)
  [ -z "$value" ] || printf '    capacity: %s\n' "$value"
  value=$(field "$entry" mac)
  [ -z "$value" ] || match="mac: \"$value\""
  value=$(field "$entry" vlan)
  [ -z "$value" ] || match="${match:+$match, }vlan: $value"
  [ -z "$match" ] || printf '    match: { %s }\n' "$match"
}

write_appliance() {
  local dir=$root/etc/egress-appliance entry i cpu
  mkdir -p "$dir"
  {
    printf '# Written by set-up. Every key is in configuration.md; check with: egress-appliance check\nversion: 1\nsite: "%s"\n' "${setup[site]:-}"
    printf '# It computes and shows, and announces nothing, until this says inject.\nmode: observe\ncapture:\n  sources:\n'
    for i in "${!mirrors[@]}"; do
      cpu=$(capture_cpu "$i")
      printf '    - interface: "%s"\n' "${mirrors[i]}"
      [ -z "$cpu" ] || printf '      cpus: [%s]\n' "$cpu"
    done
    echo "routers:"
    for entry in "${setup_routers[@]}"; do write_router "$entry"; done
    echo "links:"
    for entry in "${setup_links[@]}"; do write_link "$entry"; done
    if [ -n "${setup[https_port]:-}" ]; then
      printf 'http:\n  remote:\n    listen: "[::]:%s"\n    certificate_file: tls/cert.pem\n    key_file: tls/key.pem\n    tokens_file: tokens\n' "${setup[https_port]}"
    fi
  } > "$dir/appliance.yaml"
  chmod 644 "$dir/appliance.yaml"
  [ -z "${setup[https_port]:-}" ] || write_certificate "$dir"
}

# A certificate of its own making, until there is a better one; and no token, so that nobody comes in before the operator has made one.
write_certificate() {
  local dir=$1/tls name=${setup[hostname]:-egress-appliance}
  mkdir -p "$dir"
  if [ ! -e "$dir/key.pem" ]; then
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
      -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null)
  fi
  give_to_appliance "$dir" 750
  give_to_appliance "$dir/key.pem" 600
  give_to_appliance "$dir/cert.pem" 644
  [ -e "$1/tokens" ] || : > "$1/tokens"
  give_to_appliance "$1/tokens" 600
}

write_access() {
  local dir=$root/etc/ssh/authorized_keys
  mkdir -p "$dir"
  printf '%s\n' "${setup_keys[@]}" | grep . > "$dir/operator" || true
  chmod 644 "$dir/operator"
  printf '# Written by set-up.\nPasswordAuthentication %s\nKbdInteractiveAuthentication no\n' "$([ -n "${setup[password_hash]:-}" ] && echo yes || echo no)" \
    > "$root/etc/ssh/sshd_config.d/access.conf"
  if [ -n "${setup[hostname]:-}" ]; then
    printf '%s\n' "${setup[hostname]}" > "$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost\n' "${setup[hostname]}" > "$root/etc/hosts"
  fi
}

# generate: all of it. The configuration of the appliance has been checked before anything of the machine is written.
generate() {
  local complaints place
  resolve_ports || return 1
  mkdir -p "$root/etc/egress-appliance" "$root/etc/ssh/sshd_config.d"
  write_appliance
  # Paths are relative to the file, so that it is right wherever it lies.
  if ! complaints=$("${EGRESS_COMMAND:-egress-appliance}" check "$root/etc/egress-appliance/appliance.yaml" 2>&1); then
    place=$root/etc/egress-appliance/appliance.yaml
    while IFS= read -r line; do
      setup_errors+=("$setup_file: what it makes is no good configuration: ${line//"$place"/appliance.yaml}")
    done <<<"$complaints"
    return 1
  fi
  setup_notes=$complaints
  write_network
  write_mirrors
  write_firewall
  write_access
}
