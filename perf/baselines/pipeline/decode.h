/* Ethernet frame -> outer IP destination and IP bytes, with the checks of the appliance's own decoder.
 *
 * decode() is the whole decoder: any stack of VLAN tags, MPLS, PPPoE and SNAP before IP; every frame ends in one status, and the statuses
 * have the names that the appliance prints. decode_usual() answers for the frames that a mirror port is full of, at most one tag
 * and then a sound IPv4 or IPv6 header, without a branch that depends on which of them it is: mixed traffic would mispredict
 * it for every third packet. What it does not answer for goes to decode().
 */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum status {
    IPV4, IPV6, NON_IP, TRUNCATED_ETHERNET, TRUNCATED_VLAN, TRUNCATED_MPLS, TRUNCATED_PPP, TRUNCATED_LINK_HEADER, TRUNCATED_IPV4,
    BAD_IPV4_VERSION, BAD_IPV4_HEADER_LENGTH, BAD_IPV4_TOTAL_LENGTH, IPV4_TOTAL_LENGTH_ZERO, TRUNCATED_IPV6, BAD_IPV6_VERSION, STATUSES
};

static const char *const status_names[STATUSES] = {
    "ipv4", "ipv6", "non_ip", "truncated_ethernet", "truncated_vlan", "truncated_mpls", "truncated_ppp", "truncated_link_header",
    "truncated_ipv4", "bad_ipv4_version", "bad_ipv4_header_length", "bad_ipv4_total_length", "ipv4_total_length_zero",
    "truncated_ipv6", "bad_ipv6_version",
};

/* Bytes behind a frame's first that decode_usual() may read, whatever was captured. */
#define DECODE_READS 64

struct packet {
    uint64_t high, low; /* destination: IPv4 in the lower half of low */
    uint32_t ip_bytes;
};

static inline uint16_t load16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static inline uint32_t load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint64_t load64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }
static inline uint16_t big16(const uint8_t *p) { return __builtin_bswap16(load16(p)); }
static inline uint32_t big32(const uint8_t *p) { return __builtin_bswap32(load32(p)); }
static inline uint64_t big64(const uint8_t *p) { return __builtin_bswap64(load64(p)); }

static inline bool is_tag(uint16_t type) { return (type == 0x8100) | (type == 0x88A8) | (type == 0x9100); }

static enum status decode_ipv4(const uint8_t *ip, uint32_t left, struct packet *packet)
{
    if (left < 20) {
        return TRUNCATED_IPV4;
    }
    if (ip[0] >> 4 != 4) {
        return BAD_IPV4_VERSION;
    }
    uint32_t header = (ip[0] & 15u) * 4, total = big16(ip + 2);
    if (header < 20) {
        return BAD_IPV4_HEADER_LENGTH;
    }
    if (total < header) {
        return total == 0 ? IPV4_TOTAL_LENGTH_ZERO : BAD_IPV4_TOTAL_LENGTH;
    }
    if (left < header) {
        return TRUNCATED_IPV4;
    }
    packet->low = big32(ip + 16);
    packet->ip_bytes = total;
    return IPV4;
}

static enum status decode_ipv6(const uint8_t *ip, uint32_t left, struct packet *packet)
{
    if (left < 40) {
        return TRUNCATED_IPV6;
    }
    if (ip[0] >> 4 != 6) {
        return BAD_IPV6_VERSION;
    }
    packet->high = big64(ip + 24);
    packet->low = big64(ip + 32);
    packet->ip_bytes = 40u + big16(ip + 4);
    return IPV6;
}

static enum status decode_mpls(const uint8_t *at, uint32_t left, struct packet *packet)
{
    for (bool bottom = false; !bottom; at += 4, left -= 4) {
        if (left < 4) {
            return TRUNCATED_MPLS;
        }
        bottom = at[2] & 1;
    }
    if (left == 0) {
        return TRUNCATED_MPLS;
    }
    switch (at[0] >> 4) {
    case 4: return decode_ipv4(at, left, packet);
    case 6: return decode_ipv6(at, left, packet);
    default: return NON_IP;
    }
}

static enum status decode_pppoe(const uint8_t *at, uint32_t left, struct packet *packet)
{
    if (left < 7) {
        return TRUNCATED_PPP;
    }
    at += 6, left -= 6;
    uint32_t bytes = 1, protocol = at[0];
    if ((protocol & 1) == 0) { /* not a compressed protocol field */
        bytes = 2;
        if (left < bytes) {
            return TRUNCATED_PPP;
        }
        protocol = big16(at);
    }
    switch (protocol) {
    case 0x0021: return decode_ipv4(at + bytes, left - bytes, packet);
    case 0x0057: return decode_ipv6(at + bytes, left - bytes, packet);
    case 0x0281: return decode_mpls(at + bytes, left - bytes, packet);
    default: return NON_IP;
    }
}

static enum status decode_snap(const uint8_t *at, uint32_t left, struct packet *packet)
{
    if (left < 8 || big32(at) != 0xAAAA0300 || at[4] != 0 || at[5] != 0) {
        return NON_IP;
    }
    switch (big16(at + 6)) {
    case 0x0800: return decode_ipv4(at + 8, left - 8, packet);
    case 0x86DD: return decode_ipv6(at + 8, left - 8, packet);
    default: return NON_IP;
    }
}

/* Decodes any frame; reads no byte that was not captured. */
__attribute__((noinline, unused)) static enum status decode(const uint8_t *frame, uint32_t captured, struct packet *packet)
{
    if (captured < 14) {
        return TRUNCATED_ETHERNET;
    }
    uint16_t type = big16(frame + 12);
    const uint8_t *at = frame + 14;
    uint32_t left = captured - 14;
    for (; is_tag(type); at += 4, left -= 4) {
        if (left < 4) {
            return TRUNCATED_VLAN;
        }
        type = big16(at + 2);
    }
    switch (type) {
    case 0x0800: return decode_ipv4(at, left, packet);
    case 0x86DD: return decode_ipv6(at, left, packet);
    case 0x8847: case 0x8848: return decode_mpls(at, left, packet);
    case 0x8864: return decode_pppoe(at, left, packet);
    default: return type < 0x0600 ? decode_snap(at, left, packet) : NON_IP;
    }
}

/* Where the IP header of a usual frame is, and which it is; both flags false if the frame is not a usual one.
 * DECODE_READS bytes must be readable; that so many were captured is checked here. */
struct usual {
    const uint8_t *ip;
    bool ipv4, ipv6;
};

static inline struct usual decode_usual(const uint8_t *frame, uint32_t captured)
{
    uint32_t header = is_tag(big16(frame + 12)) ? 18 : 14;
    const uint8_t *ip = frame + header;
    uint16_t type = load16(ip - 2);
    uint32_t first = ip[0], options_end = (first & 15) * 4, total = big16(ip + 2);
    bool sound4 = (first >> 4 == 4) & (options_end >= 20) & (total >= options_end) & (captured >= header + options_end);
    bool sound6 = (first >> 4 == 6) & (captured >= header + 40);
    return (struct usual){ip, (type == 0x0008) & sound4, (type == 0xDD86) & sound6};
}

#endif
