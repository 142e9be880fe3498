#include "lookup.h"
#include <string.h>

#define DIRECT_BITS 20
#define STRIDE 6
#define SLOTS 64
#define LEAF_FLAG 0x80000000u
#define BATCH 16

struct node {
    uint64_t children; /* bit v: slot v leads to a node */
    uint64_t leaves;   /* bit v: a leaf other than that of the slots before starts at slot v */
    uint32_t first_leaf;
    uint32_t first_child;
};

struct poptrie6 {
    uint32_t *direct; /* a leaf if LEAF_FLAG is set, else the number of a node */
    struct node *nodes;
    uint32_t *leaf;
    long node_count, node_room;
    long leaf_count, leaf_room;
    int failed;
};

/* What the trie is compiled from: one node for each bit. */
struct bit {
    uint32_t child[2];
    uint32_t id;
};

struct bits {
    struct bit *bit;
    long count, room;
};

static uint32_t new_bit(struct bits *bits)
{
    if (bits->count == bits->room) {
        bits->room = bits->room ? 2 * bits->room : 1 << 16;
        struct bit *more = realloc(bits->bit, (size_t)bits->room * sizeof *more);
        if (more == NULL)
            return 0;
        bits->bit = more;
    }
    memset(&bits->bit[bits->count], 0, sizeof(struct bit));
    return (uint32_t)bits->count++;
}

/* Node 1 is the root, 0 is none. */
static int insert(struct bits *bits, uint64_t key, int length, uint32_t id)
{
    uint32_t at = 1;
    for (int depth = 0; depth < length; depth++) {
        int side = key >> (63 - depth) & 1;
        if (bits->bit[at].child[side] == 0) {
            uint32_t made = new_bit(bits);
            if (made == 0)
                return 0;
            bits->bit[at].child[side] = made;
        }
        at = bits->bit[at].child[side];
    }
    bits->bit[at].id = id;
    return 1;
}

/* Goes down `count` bits from `at`; *id becomes that of the longest prefix passed. */
static uint32_t descend(const struct bits *bits, uint32_t at, uint64_t path, int count, uint32_t *id)
{
    for (int i = count - 1; i >= 0 && at != 0; i--) {
        at = bits->bit[at].child[path >> i & 1];
        if (at != 0 && bits->bit[at].id != 0)
            *id = bits->bit[at].id;
    }
    return at;
}

static int has_children(const struct bits *bits, uint32_t at)
{
    return at != 0 && (bits->bit[at].child[0] | bits->bit[at].child[1]) != 0;
}

static uint32_t take(void **array, long *count, long *room, long more, size_t size, int *failed)
{
    if (*count + more > *room) {
        long larger = 2 * (*count + more) + 1024;
        void *moved = realloc(*array, (size_t)larger * size);
        if (moved == NULL) {
            *failed = 1;
            return 0;
        }
        *array = moved;
        *room = larger;
    }
    *count += more;
    return (uint32_t)(*count - more);
}

static void compile(struct poptrie6 *table, const struct bits *bits, uint32_t place, uint32_t at, uint32_t inherited)
{
    struct node node = {0, 0, 0, 0};
    uint32_t below[SLOTS], child_id[SLOTS], leaf[SLOTS], last = 0;
    int children = 0, leaves = 0;
    for (int slot = 0; slot < SLOTS; slot++) {
        uint32_t id = inherited;
        uint32_t to = descend(bits, at, (uint64_t)slot, STRIDE, &id);
        if (has_children(bits, to)) {
            node.children |= (uint64_t)1 << slot;
            below[children] = to;
            child_id[children++] = id;
        } else if (leaves == 0 || id != last) {
            node.leaves |= (uint64_t)1 << slot;
            leaf[leaves++] = last = id;
        }
    }

    node.first_leaf = take((void **)&table->leaf, &table->leaf_count, &table->leaf_room, leaves, sizeof(uint32_t), &table->failed);
    node.first_child = take((void **)&table->nodes, &table->node_count, &table->node_room, children, sizeof(struct node), &table->failed);
    if (table->failed)
        return;
    memcpy(table->leaf + node.first_leaf, leaf, (size_t)leaves * sizeof(uint32_t));
    table->nodes[place] = node;
    for (int i = 0; i < children; i++)
        compile(table, bits, node.first_child + (uint32_t)i, below[i], child_id[i]);
}

static void *settle(void *array, size_t bytes)
{
    void *huge = huge_alloc(bytes + 1);
    if (huge != NULL)
        memcpy(huge, array, bytes);
    free(array);
    return huge;
}

struct poptrie6 *poptrie6_create(const uint64_t *high, const uint8_t *length, const uint32_t *id, long count)
{
    struct poptrie6 *table = calloc(1, sizeof *table);
    struct bits bits = {NULL, 0, 0};
    if (table == NULL)
        return NULL;
    new_bit(&bits);
    table->failed = new_bit(&bits) != 1;
    table->direct = huge_alloc(((size_t)1 << DIRECT_BITS) * sizeof(uint32_t));
    for (long i = 0; i < count && !table->failed; i++)
        table->failed = !insert(&bits, high[i], length[i], id[i]);

    table->failed |= table->direct == NULL;
    for (uint32_t slot = 0; slot < 1u << DIRECT_BITS && !table->failed; slot++) {
        uint32_t found = bits.bit[1].id;
        uint32_t at = descend(&bits, 1, slot, DIRECT_BITS, &found);
        table->direct[slot] = found | LEAF_FLAG;
        if (has_children(&bits, at)) {
            table->direct[slot] = take((void **)&table->nodes, &table->node_count, &table->node_room, 1, sizeof(struct node), &table->failed);
            if (!table->failed)
                compile(table, &bits, table->direct[slot], at, found);
        }
    }

    free(bits.bit);
    table->nodes = settle(table->nodes, (size_t)table->node_count * sizeof(struct node));
    table->leaf = settle(table->leaf, (size_t)table->leaf_count * sizeof(uint32_t));
    if (table->failed || table->nodes == NULL || table->leaf == NULL) {
        poptrie6_free(table);
        return NULL;
    }
    return table;
}

void poptrie6_free(struct poptrie6 *table)
{
    if (table != NULL) {
        free(table->direct);
        free(table->nodes);
        free(table->leaf);
        free(table);
    }
}

long poptrie6_bytes(const struct poptrie6 *table)
{
    return ((long)sizeof(uint32_t) << DIRECT_BITS) + table->node_count * (long)sizeof(struct node) + table->leaf_count * (long)sizeof(uint32_t);
}

/* Set bits up to and with the slot. */
static inline uint32_t rank(uint64_t map, uint64_t slot)
{
    return (uint32_t)__builtin_popcountll(map & (((uint64_t)2 << slot) - 1));
}

static inline uint64_t slot_at(uint64_t key, int depth)
{
    return key << depth >> (64 - STRIDE);
}

static inline uint32_t find(const struct poptrie6 *table, uint64_t key)
{
    uint32_t at = table->direct[key >> (64 - DIRECT_BITS)];
    if (at & LEAF_FLAG)
        return at & ~LEAF_FLAG;
    const struct node *node = table->nodes + at;
    int depth = DIRECT_BITS;
    uint64_t slot = slot_at(key, depth);
    while (node->children >> slot & 1) {
        node = table->nodes + (node->first_child + rank(node->children, slot) - 1);
        depth += STRIDE;
        slot = slot_at(key, depth);
    }
    return table->leaf[node->first_leaf + rank(node->leaves, slot) - 1];
}

/* One after the other. */
void poptrie6_lookup(const struct poptrie6 *table, const uint64_t *high, uint32_t *id, long count)
{
    for (long i = 0; i < count; i++)
        id[i] = find(table, high[i]);
}

/* Sixteen lanes go down together, each asking for its next line before the others read theirs. */
void poptrie6_lookup_batch16(const struct poptrie6 *table, const uint64_t *high, uint32_t *id, long count)
{
    long base = 0;
    for (; base + BATCH <= count; base += BATCH) {
        const struct node *node[BATCH];
        const uint32_t *leaf[BATCH];
        int lane[BATCH], active = 0, found = 0;
        for (int i = 0; i < BATCH; i++)
            __builtin_prefetch(table->direct + (high[base + i] >> (64 - DIRECT_BITS)));
        for (int i = 0; i < BATCH; i++) {
            uint32_t at = table->direct[high[base + i] >> (64 - DIRECT_BITS)];
            if (at & LEAF_FLAG) {
                id[base + i] = at & ~LEAF_FLAG;
            } else {
                node[i] = table->nodes + at;
                __builtin_prefetch(node[i]);
                lane[active++] = i;
            }
        }
        int last[BATCH];
        for (int depth = DIRECT_BITS; active > 0; depth += STRIDE) {
            int left = 0;
            for (int a = 0; a < active; a++) {
                int i = lane[a];
                uint64_t slot = slot_at(high[base + i], depth);
                if (node[i]->children >> slot & 1) {
                    node[i] = table->nodes + (node[i]->first_child + rank(node[i]->children, slot) - 1);
                    __builtin_prefetch(node[i]);
                    lane[left++] = i;
                } else {
                    leaf[i] = table->leaf + (node[i]->first_leaf + rank(node[i]->leaves, slot) - 1);
                    __builtin_prefetch(leaf[i]);
                    last[found++] = i;
                }
            }
            active = left;
        }
        for (int f = 0; f < found; f++)
            id[base + last[f]] = *leaf[last[f]];
    }
    for (; base < count; base++)
        id[base] = find(table, high[base]);
}
