/* Frames -> packets and IP bytes per (prefix, link): the work between a source of frames and the counters, in groups.
 *
 * A packet costs two cache misses that nothing nearby predicts, one in the table and one in the counters. So the work is done in three steps, and
 * a packet waits between them while others overlap their misses with its own:
 *     group k      decode, find the link, ask for the table's line
 *     group k - 1  read the id, ask for the counter's line
 *     group k - 2  add
 * IPv6 packets are gathered until there are enough of them to go down the nodes in step. A cell is 16 bytes, 64 bits each of packets and IP bytes; a
 * link's cells stand together. Each thread has a struct counting of its own.
 */
#ifndef COUNT_H
#define COUNT_H

#include "decode.h"
#include "table.h"

#ifndef GROUP
#define GROUP 32
#endif
#ifndef GROUP6
#define GROUP6 256
#endif
#ifndef STREAM_AHEAD
#define STREAM_AHEAD 2048 /* bytes of frames that are asked for ahead; the processor's own prefetching stops at a page's end */
#endif
#define LINKS_MAX 15
#define LINK_SLOTS 64

struct cell {
    uint64_t packets, ip_bytes;
};

/* Destination MAC -> link number, 0 for none: one probe of a table without collisions. */
struct links {
    uint64_t multiplier, macs[LINK_SLOTS];
    uint8_t numbers[LINK_SLOTS];
    const char *names[LINKS_MAX + 1];
    uint32_t count;
    uint64_t wanted[LINKS_MAX];
};

struct group {
    uint32_t count;
    uint32_t destinations[GROUP], cells[GROUP], ip_bytes[GROUP];
};

struct counting {
    const struct table *table;
    const struct links *links;
    struct cell *cells;
    uint32_t bases[LINK_SLOTS]; /* first cell of the link, by slot of links; the last is never matched */
    uint64_t frames, ip_bytes, by_status[STATUSES];
    struct group groups[3];
    uint32_t step;
    uint32_t count6, bases6[GROUP6 + GROUP], bytes6[GROUP6 + GROUP], cells6[GROUP6 + GROUP];
    uint64_t high6[GROUP6 + GROUP], low6[GROUP6 + GROUP];
};
_Static_assert(GROUP6 + GROUP <= LANES_MAX, "lookup6_many takes LANES_MAX lanes");

/* MACs as they lie in memory, read little-endian. */
static inline uint64_t mac_at(const uint8_t *frame) { return load64(frame) & 0xFFFFFFFFFFFFull; }
static inline uint32_t link_slot(const struct links *l, uint64_t mac) { return (uint32_t)(mac * l->multiplier >> 58); }

/* Takes NAME=MAC. */
static void links_add(struct links *l, char *text)
{
    unsigned o[6];
    char *equals = strchr(text, '=');
    if (!equals || l->count == LINKS_MAX || sscanf(equals + 1, "%x:%x:%x:%x:%x:%x", o, o + 1, o + 2, o + 3, o + 4, o + 5) != 6) {
        fprintf(stderr, "--link: not NAME=MAC, or too many: %s\n", text);
        exit(2);
    }
    *equals = 0;
    uint64_t mac = 0;
    for (int i = 5; i >= 0; i--) {
        mac = mac << 8 | (o[i] & 255);
    }
    l->wanted[l->count++] = mac;
    l->names[l->count] = text;
    for (l->multiplier = 0x9E3779B97F4A7C15ull;; l->multiplier += 2) {
        memset(l->numbers, 0, sizeof l->numbers);
        memset(l->macs, 0xFF, sizeof l->macs);
        uint32_t placed = 0;
        for (; placed < l->count && l->numbers[link_slot(l, l->wanted[placed])] == 0; placed++) {
            l->macs[link_slot(l, l->wanted[placed])] = l->wanted[placed];
            l->numbers[link_slot(l, l->wanted[placed])] = (uint8_t)(placed + 1);
        }
        if (placed == l->count) {
            return;
        }
    }
}

static struct counting *counting_new(const struct table *table, const struct links *links)
{
    struct counting *c = aligned_alloc(64, (sizeof *c + 63) & ~63ul);
    memset(c, 0, sizeof *c);
    c->table = table;
    c->links = links;
    c->cells = huge_alloc((size_t)(links->count + 1) * table->ids * sizeof *c->cells);
    for (int slot = 0; slot < LINK_SLOTS; slot++) {
        c->bases[slot] = links->numbers[slot] * table->ids;
    }
    return c;
}

/* First cell of the frame's link. */
static inline uint32_t link_base(const struct counting *c, const uint8_t *frame)
{
    uint64_t mac = mac_at(frame);
    uint32_t slot = link_slot(c->links, mac);
    return c->links->macs[slot] == mac ? c->bases[slot] : 0;
}

static inline void cell_add(struct cell *cell, uint32_t ip_bytes)
{
    cell->packets++;
    cell->ip_bytes += ip_bytes;
}

static inline void ask_for_ids(struct counting *c, struct group *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        g->cells[i] += lookup4(c->table, g->destinations[i]);
        __builtin_prefetch(c->cells + g->cells[i], 1);
    }
}

static inline void add_group(struct counting *c, struct group *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        cell_add(c->cells + g->cells[i], g->ip_bytes[i]);
    }
    g->count = 0;
}

static __attribute__((noinline)) void count_ipv6(struct counting *c)
{
    lookup6_many(c->table, c->high6, c->low6, c->cells6, c->count6);
    for (uint32_t i = 0; i < c->count6; i++) {
        c->cells6[i] += c->bases6[i];
        __builtin_prefetch(c->cells + c->cells6[i], 1);
    }
    for (uint32_t i = 0; i < c->count6; i++) {
        cell_add(c->cells + c->cells6[i], c->bytes6[i]);
    }
    c->count6 = 0;
}

/* Does the later steps for the groups before the one just filled, and makes room for the next. */
static inline void counting_step(struct counting *c)
{
    uint32_t before = c->step == 0 ? 2 : c->step - 1, next = c->step == 2 ? 0 : c->step + 1;
    ask_for_ids(c, c->groups + before);
    add_group(c, c->groups + next); /* two before, and the next to be filled */
    c->step = next;
    if (c->count6 >= GROUP6) {
        count_ipv6(c);
    }
}

/* Counts what is still between the steps. */
__attribute__((unused)) static void counting_flush(struct counting *c)
{
    counting_step(c);
    counting_step(c);
    counting_step(c);
    if (c->count6 > 0) {
        count_ipv6(c);
    }
}

static __attribute__((noinline)) void decode_unusual(struct counting *c, const uint8_t *frame, uint32_t captured)
{
    struct packet packet = {0};
    enum status status = decode(frame, captured, &packet);
    c->by_status[status]++;
    if (status > IPV6) {
        return;
    }
    uint8_t mac[8] = {0};
    memcpy(mac, frame, 6);
    uint32_t base = link_base(c, mac);
    c->ip_bytes += packet.ip_bytes;
    if (status == IPV4) {
        struct group *g = c->groups + c->step;
        table_prefetch4(c->table, (uint32_t)packet.low);
        g->destinations[g->count] = (uint32_t)packet.low;
        g->cells[g->count] = base;
        g->ip_bytes[g->count++] = packet.ip_bytes;
    } else {
        __builtin_prefetch(c->table->index6 + (packet.high >> 40));
        c->high6[c->count6] = packet.high;
        c->low6[c->count6] = packet.low;
        c->bases6[c->count6] = base;
        c->bytes6[c->count6++] = packet.ip_bytes;
    }
}

/* Decodes one frame into the group; at most GROUP of them between two steps. readable: DECODE_READS bytes from frame on can be read. */
static inline void decode_into(struct counting *c, struct group *g, const uint8_t *frame, uint32_t captured, bool readable)
{
    struct usual usual = readable ? decode_usual(frame, captured) : (struct usual){0};
    if (__builtin_expect(!(usual.ipv4 | usual.ipv6), 0)) {
        decode_unusual(c, frame, captured);
        return;
    }
    /* Written for both families; only the right one's count goes on. */
    const uint8_t *ip = usual.ip;
    uint32_t base = link_base(c, frame), n4 = g->count, n6 = c->count6, destination = big32(ip + 16);
    uint32_t bytes4 = big16(ip + 2), bytes6 = 40u + big16(ip + 4);
    uint64_t high = big64(ip + 24);
    __builtin_prefetch(usual.ipv4 ? c->table->index4 + (destination >> 8) : c->table->index6 + (high >> 40));
    g->destinations[n4] = destination;
    g->cells[n4] = base;
    g->ip_bytes[n4] = bytes4;
    c->high6[n6] = high;
    c->low6[n6] = big64(ip + 32);
    c->bases6[n6] = base;
    c->bytes6[n6] = bytes6;
    g->count = n4 + usual.ipv4;
    c->count6 = n6 + usual.ipv6;
    c->by_status[IPV6] += usual.ipv6;
    c->by_status[IPV4] += usual.ipv4;
    c->ip_bytes += usual.ipv4 ? bytes4 : bytes6;
}

/* Counts one packet at a time, as a program with a callback per packet does. */
__attribute__((unused)) static inline void count_one(struct counting *c, const uint8_t *frame, uint32_t captured)
{
    struct packet packet = {0};
    enum status status = decode(frame, captured, &packet);
    c->frames++;
    c->by_status[status]++;
    if (status <= IPV6) {
        uint32_t id = status == IPV4 ? lookup4(c->table, (uint32_t)packet.low) : lookup6(c->table, packet.high, packet.low);
        c->ip_bytes += packet.ip_bytes;
        cell_add(c->cells + link_base(c, frame) + id, packet.ip_bytes);
    }
}

/* ---- output ---- */

/* Adds another thread's counters. */
__attribute__((unused)) static void counting_merge(struct counting *to, const struct counting *from)
{
    to->frames += from->frames;
    to->ip_bytes += from->ip_bytes;
    for (int i = 0; i < STATUSES; i++) {
        to->by_status[i] += from->by_status[i];
    }
    for (size_t i = 0; i < (size_t)(to->links->count + 1) * to->table->ids; i++) {
        to->cells[i].packets += from->cells[i].packets;
        to->cells[i].ip_bytes += from->cells[i].ip_bytes;
    }
}

/* Prints the totals as members of a JSON object, without its braces. */
static void print_totals(const struct counting *c, FILE *out)
{
    uint64_t unrouted_packets = 0, unrouted_bytes = 0;
    for (uint32_t link = 0; link <= c->links->count; link++) {
        unrouted_packets += c->cells[link * c->table->ids].packets;
        unrouted_bytes += c->cells[link * c->table->ids].ip_bytes;
    }
    fprintf(out, "\"frames\":%lu,\"packets\":%lu,\"ip_bytes\":%lu,\"non_ip\":%lu,\"undecodable\":{", c->frames,
        c->by_status[IPV4] + c->by_status[IPV6], c->ip_bytes, c->by_status[NON_IP]);
    const char *comma = "";
    for (int i = TRUNCATED_ETHERNET; i < STATUSES; i++) {
        if (c->by_status[i]) {
            fprintf(out, "%s\"%s\":%lu", comma, status_names[i], c->by_status[i]);
            comma = ",";
        }
    }
    fprintf(out, "},\"unrouted\":{\"packets\":%lu,\"ip_bytes\":%lu}", unrouted_packets, unrouted_bytes);
}

/* Writes "prefix link packets ip_bytes" for each cell that counted something; link "-" for none. */
__attribute__((unused)) static void dump_cells(const struct counting *c, const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        fail(path);
    }
    for (uint32_t id = 1; id < c->table->ids; id++) {
        for (uint32_t link = 0; link <= c->links->count; link++) {
            const struct cell *cell = c->cells + (size_t)link * c->table->ids + id;
            if (cell->packets) {
                fprintf(out, "%s %s %lu %lu\n", c->table->names[id], link ? c->links->names[link] : "-", cell->packets, cell->ip_bytes);
            }
        }
    }
    if (fclose(out) != 0) {
        fail(path);
    }
}

#endif
