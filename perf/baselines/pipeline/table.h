/* Longest-prefix match: address -> prefix id (1, 2, ... in the order of the file; 0: no prefix).
 *
 * IPv4 is DIR-24-8: 2^24 ids by the upper 24 bits; where prefixes longer than /24 lie, the entry names a block of 256 ids.
 * IPv6 has the same first level, then nodes of 8 bits each. A node keeps runs of equal slots: a map of 256 bits says where a run starts,
 * and popcount finds the run; a node of up to seven runs is one cache line. A /32 is one node down, a /48 three.
 *
 * Lookups of many addresses go in step: the caller asks for the first level's lines early (table_prefetch4/6), IPv6 lanes then go down
 * one level at a time, each asking for its next line before any of them reads it. All memory is in 2 MiB pages if the system has them.
 */
#ifndef TABLE_H
#define TABLE_H

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_FLAG 0x80000000u
#define LANES_MAX 1024

typedef unsigned __int128 u128;

struct prefix {
    u128 address; /* left-aligned, for IPv4 too */
    uint32_t id;
    uint8_t length;
};

struct node {
    uint64_t starts[4];  /* bit s: a run starts at slot s */
    uint8_t before[4];   /* runs that start before each word of the map */
    uint32_t entries[7]; /* one for each run; longer nodes go on behind */
};
_Static_assert(sizeof(struct node) == 64, "a small node is one cache line");

struct table {
    uint32_t *index4, *blocks4, *index6;
    struct node *nodes6;
    char **names; /* by id */
    uint32_t ids, blocks, nodes, node_room;
};

__attribute__((noreturn, unused)) static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Zeroed memory at a huge page's boundary. */
static void *huge_alloc(size_t bytes)
{
    const size_t huge = 2 << 20;
    bytes = (bytes + huge - 1) & ~(huge - 1);
    uint8_t *raw = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED) {
        fail("mmap");
    }
    void *aligned = (void *)(((uintptr_t)raw + huge - 1) & ~(huge - 1));
    madvise(aligned, bytes, MADV_HUGEPAGE);
    return aligned;
}

static inline void table_prefetch4(const struct table *t, uint32_t address) { __builtin_prefetch(t->index4 + (address >> 8)); }

static inline uint32_t lookup4(const struct table *t, uint32_t address)
{
    uint32_t entry = t->index4[address >> 8];
    return __builtin_expect(entry & BLOCK_FLAG, 0) ? t->blocks4[(entry & ~BLOCK_FLAG) * 256 + (address & 255)] : entry;
}

static inline const uint32_t *find_run(const struct node *node, uint32_t slot)
{
    uint32_t word = slot >> 6;
    uint64_t up_to = node->starts[word] & (UINT64_MAX >> (63 - (slot & 63)));
    return node->entries + node->before[word] + __builtin_popcountll(up_to) - 1;
}

static inline uint32_t slot_at(uint64_t high, uint64_t low, uint32_t depth)
{
    return depth < 64 ? (uint8_t)(high >> (56 - depth)) : (uint8_t)(low >> (120 - depth));
}

static inline uint32_t lookup6(const struct table *t, uint64_t high, uint64_t low)
{
    uint32_t entry = t->index6[high >> 40];
    for (uint32_t depth = 24; entry & BLOCK_FLAG; depth += 8) {
        entry = *find_run(t->nodes6 + (entry & ~BLOCK_FLAG), slot_at(high, low, depth));
    }
    return entry;
}

/* The ids of count addresses, at most LANES_MAX, whose first-level lines were asked for. */
static inline void lookup6_many(const struct table *t, const uint64_t *high, const uint64_t *low, uint32_t *ids, uint32_t count)
{
    const void *place[LANES_MAX];
    uint16_t lane[LANES_MAX];
    uint32_t active = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = t->index6[high[i] >> 40];
        const struct node *node = t->nodes6 + (entry & ~BLOCK_FLAG);
        ids[i] = entry;
        place[active] = node;
        lane[active] = (uint16_t)i;
        active += entry >> 31;
        if (entry >> 31) {
            __builtin_prefetch(node);
        }
    }
    for (uint32_t depth = 24; active > 0; depth += 8) {
        for (uint32_t i = 0; i < active; i++) {
            const uint32_t *entry = find_run(place[i], slot_at(high[lane[i]], low[lane[i]], depth));
            __builtin_prefetch(entry);
            place[i] = entry;
        }
        uint32_t asked = active;
        active = 0;
        for (uint32_t i = 0; i < asked; i++) {
            uint32_t entry = *(const uint32_t *)place[i];
            const struct node *node = t->nodes6 + (entry & ~BLOCK_FLAG);
            ids[lane[i]] = entry;
            lane[active] = lane[i];
            place[active] = node;
            active += entry >> 31;
            if (entry >> 31) {
                __builtin_prefetch(node);
            }
        }
    }
}

/* ---- building ---- */

struct range {
    u128 start;
    uint32_t id;
};

static int by_length(const void *a, const void *b)
{
    return (int)((const struct prefix *)a)->length - (int)((const struct prefix *)b)->length;
}

static int by_address(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    return x->address != y->address ? (x->address < y->address ? -1 : 1) : by_length(a, b);
}

/* Shorter prefixes first, so that longer ones overwrite them. */
static void build4(struct table *t, struct prefix *prefixes, size_t count)
{
    t->index4 = huge_alloc((1u << 24) * sizeof(uint32_t));
    qsort(prefixes, count, sizeof *prefixes, by_length);
    size_t longer = 0;
    for (size_t i = 0; i < count; i++) {
        longer += prefixes[i].length > 24;
    }
    t->blocks4 = huge_alloc((longer + 1) * 256 * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++) {
        uint32_t address = (uint32_t)(prefixes[i].address >> 96), length = prefixes[i].length;
        uint32_t *entry = t->index4 + (address >> 8);
        if (length <= 24) {
            for (uint32_t n = 0; n < 1u << (24 - length); n++) {
                entry[n] = prefixes[i].id;
            }
            continue;
        }
        if (!(*entry & BLOCK_FLAG)) {
            for (uint32_t n = 0; n < 256; n++) {
                t->blocks4[t->blocks * 256 + n] = *entry;
            }
            *entry = BLOCK_FLAG | t->blocks++;
        }
        uint32_t *block = t->blocks4 + (*entry & ~BLOCK_FLAG) * 256;
        for (uint32_t n = 0; n < 1u << (32 - length); n++) {
            block[(address & 255) + n] = prefixes[i].id;
        }
    }
}

/* The address space as ranges of one answer each, sorted, the first at 0. */
static size_t make_ranges(struct prefix *prefixes, size_t count, struct range *ranges)
{
    struct { u128 last; uint32_t id; } stack[129];
    int top = -1;
    size_t n = 0;
    qsort(prefixes, count, sizeof *prefixes, by_address);
    ranges[n++] = (struct range){0, 0};
    for (size_t i = 0; i <= count; i++) {
        while (top >= 0 && (i == count || stack[top].last < prefixes[i].address)) {
            u128 next = stack[top].last + 1;
            uint32_t id = --top >= 0 ? stack[top].id : 0;
            if (next != 0) {
                n -= ranges[n - 1].start == next;
                ranges[n++] = (struct range){next, id};
            }
        }
        if (i < count) {
            u128 host = prefixes[i].length == 128 ? 0 : (~(u128)0) >> prefixes[i].length;
            n -= ranges[n - 1].start == prefixes[i].address;
            ranges[n++] = (struct range){prefixes[i].address, prefixes[i].id};
            stack[++top].last = prefixes[i].address | host;
            stack[top].id = prefixes[i].id;
        }
    }
    return n;
}

/* The entry for the 2^(128-depth) addresses from base on. *at is the range that holds base, and on return the one that holds the last of them. */
static uint32_t build_entry(struct table *t, const struct range *ranges, size_t count, size_t *at, u128 base, uint32_t depth)
{
    u128 last = base | (depth == 128 ? 0 : (~(u128)0) >> depth);
    while (*at + 1 < count && ranges[*at + 1].start <= base) {
        ++*at;
    }
    if (*at + 1 == count || ranges[*at + 1].start > last) {
        return ranges[*at].id;
    }
    uint32_t entries[256], runs = 0;
    uint64_t starts[4] = {0};
    for (uint32_t slot = 0; slot < 256; slot++) {
        uint32_t entry = build_entry(t, ranges, count, at, base + ((u128)slot << (120 - depth)), depth + 8);
        if (runs == 0 || entries[runs - 1] != entry) {
            entries[runs++] = entry;
            starts[slot >> 6] |= 1ull << (slot & 63);
        }
    }
    uint32_t units = runs <= 7 ? 1 : 1 + (runs - 7 + 15) / 16;
    if (t->nodes + units > t->node_room) {
        fprintf(stderr, "too many IPv6 nodes\n");
        exit(1);
    }
    struct node *node = t->nodes6 + t->nodes;
    uint32_t name = t->nodes;
    t->nodes += units;
    uint32_t before = 0;
    for (int word = 0; word < 4; word++) {
        node->starts[word] = starts[word];
        node->before[word] = (uint8_t)before;
        before += (uint32_t)__builtin_popcountll(starts[word]);
    }
    memcpy((uint8_t *)node + offsetof(struct node, entries), entries, runs * sizeof *entries);
    return BLOCK_FLAG | name;
}

static void build6(struct table *t, struct prefix *prefixes, size_t count)
{
    struct range *ranges = malloc((2 * count + 2) * sizeof *ranges);
    size_t n = make_ranges(prefixes, count, ranges), at = 0;
    t->index6 = huge_alloc((1u << 24) * sizeof(uint32_t));
    t->node_room = 1u << 24; /* address space; memory is used as nodes are made */
    t->nodes6 = huge_alloc((size_t)t->node_room * sizeof(struct node));
    for (uint32_t slot = 0; slot < 1u << 24; slot++) {
        uint32_t entry = build_entry(t, ranges, n, &at, (u128)slot << 104, 24);
        if (entry != 0) {
            t->index6[slot] = entry;
        }
    }
    free(ranges);
}

/* Reads "prefix [anything]" lines and builds both tables; exits with a message on a line that is no prefix. */
static struct table *table_load(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fail(path);
    }
    struct table *t = calloc(1, sizeof *t);
    struct prefix *prefixes[2] = {0};
    size_t counts[2] = {0}, rooms[2] = {0}, name_room = 0;
    char line[512];
    while (fgets(line, sizeof line, file)) {
        char *end = line + strcspn(line, " \t\r\n");
        *end = 0;
        if (!*line || *line == '#') {
            continue;
        }
        char text[64];
        char *slash = strchr(line, '/');
        uint8_t bytes[16] = {0};
        if (!slash || slash - line >= (int)sizeof text) {
            fprintf(stderr, "%s: '%s' is not a prefix\n", path, line);
            exit(1);
        }
        memcpy(text, line, (size_t)(slash - line));
        text[slash - line] = 0;
        int v6 = strchr(text, ':') != NULL;
        if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1) {
            fprintf(stderr, "%s: '%s' is not a prefix\n", path, line);
            exit(1);
        }
        if (t->ids + 2 > name_room) {
            name_room = name_room ? name_room * 2 : 1 << 20;
            t->names = realloc(t->names, name_room * sizeof *t->names);
        }
        if (counts[v6] == rooms[v6]) {
            rooms[v6] = rooms[v6] ? rooms[v6] * 2 : 1 << 18;
            prefixes[v6] = realloc(prefixes[v6], rooms[v6] * sizeof **prefixes);
        }
        struct prefix *p = prefixes[v6] + counts[v6]++;
        p->address = 0;
        for (int i = 0; i < 16; i++) {
            p->address = p->address << 8 | bytes[i];
        }
        p->length = (uint8_t)atoi(slash + 1);
        p->id = ++t->ids;
        t->names[p->id] = strdup(line);
    }
    fclose(file);
    t->ids++; /* id 0 */
    build4(t, prefixes[0], counts[0]);
    build6(t, prefixes[1], counts[1]);
    free(prefixes[0]);
    free(prefixes[1]);
    return t;
}

#endif
