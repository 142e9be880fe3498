# shellcheck shell=bash disable=SC2034,SC1003 # the answers are for the script that reads this; a backslash is meant
# Reads a set-up file: lines "key = value", comments with "#". What is wrong is collected, all of it at once, each as "FILE:LINE: what; what to do".
# After parse_setup the answers are in the variables below, and setup_errors is empty if they can be used.

declare -A setup            # keys that occur once
declare -a setup_dns setup_ntp setup_mirrors setup_keys
declare -a setup_routers setup_links      # "LINE name key=value ..."
declare -a setup_errors
setup_file=

once="site hostname management_port management_address management_gateway https_port password_hash"
many="dns ntp mirror_port router link ssh_key"

complain() { setup_errors+=("$setup_file:$1: $2; $3"); }

is_ipv4() {
  local a=$1 octet
  [[ $a =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
  for octet in ${a//./ }; do
    [ "$((10#$octet))" -le 255 ] || return 1
  done
}

is_ipv6() {
  local a=$1 groups
  [[ $a =~ ^[0-9A-Fa-f:]+$ && $a == *:*:* && $a != *:::* ]] || return 1
  [[ $a =~ ^:[^:] || $a =~ [^:]:$ ]] && return 1
  [[ $a =~ (^|:)[0-9A-Fa-f]{5,}(:|$) ]] && return 1
  groups=$(tr ':' '\n' <<<"$a" | grep -c .)
  if [[ $a == *::* ]]; then
    [[ ${a#*::} != *::* ]] && [ "$groups" -le 7 ]
  else
    [ "$groups" -eq 8 ]
  fi
}

is_address() { is_ipv4 "$1" || is_ipv6 "$1"; }

# is_prefix ADDRESS/LENGTH: an address of a host with the length of its network.
is_prefix() {
  local address=${1%/*} length=${1##*/}
  [[ $1 == */* && $length =~ ^[0-9]{1,3}$ ]] || return 1
  { is_ipv4 "$address" && [ "$length" -ge 1 ] && [ "$length" -le 32 ]; } || { is_ipv6 "$address" && [ "$length" -ge 1 ] && [ "$length" -le 128 ]; }
}

is_number() { [[ $1 =~ ^[0-9]{1,10}$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
is_name() { [[ $1 =~ ^[A-Za-z0-9._-]{1,64}$ ]]; }
is_mac() { [[ $1 =~ ^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$ ]]; }
is_interface() { [[ $1 =~ ^[A-Za-z0-9._-]{1,15}$ && $1 != . && $1 != .. ]]; }
# Goes into YAML in double quotes, and into files of one line.
is_plain() { [[ $1 != *[\"\\]* && ! $1 =~ [[:cntrl:]] ]]; }

# near WORD WORDS: the word of the list that begins alike, or nothing.
near() {
  local w
  for w in $2; do
    [[ $w == "${1:0:4}"* ]] && { printf ' (did you mean %s?)' "$w"; return; }
  done
}

# check_fields LINE WHAT TEXT REQUIRED OPTIONAL: "name key=value ...", whose keys must be known, given once, and all there that are required.
check_fields() {
  local line=$1 what=$2 text=$3 required=$4 optional=$5 name field key value seen=" "
  read -r name text <<<"$text"
  is_name "$name" || complain "$line" "'$name' is no name of a $what" "a name has 1 to 64 of A-Z a-z 0-9 . _ -, and stands first: $what = NAME key=value ..."
  for field in $text; do
    key=${field%%=*} value=${field#*=}
    if [[ $field != *=* || -z $value ]]; then
      complain "$line" "'$field' is not key=value" "write the $what as NAME key=value ..., without spaces around ="
      continue
    fi
    if [[ " $required $optional " != *" $key "* ]]; then
      complain "$line" "a $what has no '$key'$(near "$key" "$required $optional")" "its keys are: $required, and if wanted: $optional"
      continue
    fi
    [[ $seen != *" $key "* ]] || complain "$line" "'$key' is there twice" "leave one of them"
    seen="$seen$key "
    check_value "$line" "$key" "$value"
  done
  for key in $required; do
    [[ $seen == *" $key "* ]] || complain "$line" "the $what '$name' has no '$key'" "add $key=..."
  done
}

check_value() {
  local line=$1 key=$2 value=$3 one
  case $key in
    address | local) is_address "$value" || complain "$line" "'$value' is no IP address" "write $key as 192.0.2.1 or 2001:db8::1" ;;
    next_hop)
      for one in ${value//,/ }; do
        is_address "$one" || complain "$line" "'$one' is no IP address" "write next_hop as 100.64.1.2, several with commas"
      done ;;
    as) is_number "$value" 1 4294967294 || complain "$line" "'$value' is no AS number" "write a number from 1 to 4294967294" ;;
    port | vlan)
      local most=65535
      [ "$key" = port ] || most=4094
      is_number "$value" 1 "$most" || complain "$line" "'$value' is no $key" "write a number from 1 to $most" ;;
    mac) is_mac "$value" || complain "$line" "'$value' is no MAC address" "write it as 02:00:00:00:0a:02" ;;
    capacity) [[ $value =~ ^[0-9]+(\.[0-9]+)?[kMGT]?bit/s$ ]] || complain "$line" "'$value' is no rate" "write it with its unit, as 10Gbit/s" ;;
    router) is_name "$value" || complain "$line" "'$value' is no name of a router" "write the name of a router of this file" ;;
    snmp_community | md5 | interface) is_plain "$value" || complain "$line" "'$key' has a character that cannot be used" 'leave out " and \' ;;
  esac
}

# field "LINE name key=value ..." KEY: its value, or nothing.
field() {
  local word
  for word in $1; do
    [[ $word != "$2="* ]] || { printf '%s' "${word#*=}"; return; }
  done
}

entry_line() { printf '%s' "${1%% *}"; }
entry_name() { local rest=${1#* }; printf '%s' "${rest%% *}"; }

parse_line() {
  local number=$1 key=$2 value=$3
  case $key in
    site) is_plain "$value" || complain "$number" "the site has a character that cannot be used" 'leave out " and \' ;;
    hostname) [[ $value =~ ^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$ ]] || complain "$number" "'$value' is no host name" "1 to 63 of A-Z a-z 0-9 -, neither first nor last a -" ;;
    management_port | mirror_port)
      is_interface "$value" || is_mac "$value" || complain "$number" "'$value' is neither an interface nor a MAC address" "write its name, such as enp1s0, or its MAC address; the console shows both" ;;
    management_address) [ "$value" = dhcp ] || is_prefix "$value" || complain "$number" "'$value' is no address" "write dhcp, or the address with the length of its network: 192.0.2.2/24" ;;
    management_gateway | dns) is_address "$value" || complain "$number" "'$value' is no IP address" "write it as 192.0.2.254 or 2001:db8::1" ;;
    ntp) [[ $value =~ ^[A-Za-z0-9.:-]{1,253}$ ]] || complain "$number" "'$value' is no time server" "write a host name or an IP address" ;;
    https_port) is_number "$value" 1 65535 || complain "$number" "'$value' is no port" "write a number from 1 to 65535, such as 8443" ;;
    password_hash) [[ $value =~ ^\$(6|y|2b)\$[A-Za-z0-9./$,=]{20,}$ ]] || complain "$number" "this is no hash of a password" "make one with: openssl passwd -6" ;;
    ssh_key) [[ $value =~ ^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)\ [A-Za-z0-9+/]{40,}={0,3}(\ .*)?$ ]] || complain "$number" "this is no public SSH key" "copy the one line of a file such as id_ed25519.pub" ;;
    router) check_fields "$number" router "$value" "address as" "local port snmp_community md5" ;;
    link) check_fields "$number" link "$value" "router next_hop" "interface mac vlan capacity" ;;
  esac
  case $key in
    dns) setup_dns+=("$value") ;;
    ntp) setup_ntp+=("$value") ;;
    mirror_port) setup_mirrors+=("$value") ;;
    ssh_key) setup_keys+=("$value") ;;
    router) setup_routers+=("$number $value") ;;
    link) setup_links+=("$number $value") ;;
    *) setup[$key]=$value ;;
  esac
}

# parse_setup FILE [NAME]: NAME is what messages call it.
parse_setup() {
  local line number=0 key value
  declare -A at=()
  setup_file=${2:-$1}
  setup=() setup_dns=() setup_ntp=() setup_mirrors=() setup_keys=() setup_routers=() setup_links=() setup_errors=()
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    # A comment begins a line, or comes after a space; a key of SSH may end in one that has none.
    [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
    line=${line%%[[:space:]]#*}
    if [[ $line != *=* ]]; then
      complain "$number" "this is not 'key = value'" "write one setting a line, or begin the line with #"
      continue
    fi
    key=$(xargs -0 <<<"${line%%=*}" | tr -d '[:space:]')
    value=${line#*=}
    value=${value#"${value%%[![:space:]]*}"}
    value=${value%"${value##*[![:space:]]}"}
    if [[ " $once $many " != *" $key "* ]]; then
      complain "$number" "there is no key '$key'$(near "$key" "$once $many")" "the keys are: $once $many"
      continue
    fi
    if [ -z "$value" ]; then
      complain "$number" "'$key' has no value" "write one behind the =, or leave the line out"
      continue
    fi
    if [[ " $once " == *" $key "* ]]; then
      if [ -n "${at[$key]:-}" ]; then
        complain "$number" "'$key' is there already, in line ${at[$key]}" "leave one of them"
        continue
      fi
      at[$key]=$number
    fi
    parse_line "$number" "$key" "$value"
  done < "$1"
  check_whole "$number"
  [ ${#setup_errors[@]} -eq 0 ]
}

# check_whole LAST_LINE: what belongs together.
check_whole() {
  local last=$1 key entry name router known=" " links=" " line port seen=" "
  for key in management_port management_address; do
    [ -n "${setup[$key]:-}" ] || complain "$last" "there is no '$key'" "add $key = ..."
  done
  [ ${#setup_mirrors[@]} -gt 0 ] || complain "$last" "there is no 'mirror_port'" "add mirror_port = ..., one line for each"
  [ ${#setup_routers[@]} -gt 0 ] || complain "$last" "there is no 'router'" "add router = NAME address=192.0.2.1 as=65000"
  [ ${#setup_links[@]} -gt 0 ] || complain "$last" "there is no 'link'" "add link = NAME router=ROUTER next_hop=100.64.1.2"
  if [ ${#setup_keys[@]} -eq 0 ] && [ -z "${setup[password_hash]:-}" ]; then
    complain "$last" "nobody could log in" "add ssh_key = ..., or password_hash = ... (made with: openssl passwd -6)"
  fi
  if [ "${setup[management_address]:-}" = dhcp ] && [ -n "${setup[management_gateway]:-}" ]; then
    complain "$last" "'management_gateway' does not go with 'management_address = dhcp'" "leave it out: DHCP tells the gateway"
  fi
  for port in "${setup[management_port]:-}" "${setup_mirrors[@]}"; do
    [ -n "$port" ] || continue
    [[ $seen != *" ${port,,} "* ]] || complain "$last" "port '$port' is there twice" "management and each mirror need a port of their own"
    seen="$seen${port,,} "
  done
  for entry in "${setup_routers[@]}"; do
    line=$(entry_line "$entry") name=$(entry_name "$entry")
    [[ $known != *" $name "* ]] || complain "$line" "there is a router '$name' already" "give each a name of its own"
    known="$known$name "
    if [ -z "$(field "$entry" local)" ] && [ "${setup[management_address]:-}" = dhcp ]; then
      complain "$line" "the router '$name' has no 'local', and DHCP may give any address" "add local=..., the address that the router has a session with, or use a fixed management_address"
    fi
  done
  for entry in "${setup_links[@]}"; do
    line=$(entry_line "$entry") name=$(entry_name "$entry") router=$(field "$entry" router)
    [[ $links != *" $name "* ]] || complain "$line" "there is a link '$name' already" "give each a name of its own"
    links="$links$name "
    if [ -n "$router" ] && [[ $known != *" $router "* ]]; then
      complain "$line" "there is no router '$router'" "the routers of this file are:${known% }"
    fi
  done
}
