#include "lookup.h"
#include <string.h>

#define INDEX_ENTRIES ((size_t)1 << 24)
#define BLOCK_ENTRIES 256
#define BLOCK_FLAG 0x80000000u
#define BATCH 16

struct dir24 {
    uint32_t *index;
    uint32_t *blocks;
    long block_count;
    long block_room;
};

static uint32_t *block_for(struct dir24 *table, uint32_t place)
{
    uint32_t entry = table->index[place];
    if (entry & BLOCK_FLAG)
        return table->blocks + (size_t)(entry & ~BLOCK_FLAG) * BLOCK_ENTRIES;
    uint32_t *block = table->blocks + (size_t)table->block_count * BLOCK_ENTRIES;
    for (int i = 0; i < BLOCK_ENTRIES; i++)
        block[i] = entry;
    table->index[place] = BLOCK_FLAG | (uint32_t)table->block_count++;
    return block;
}

struct dir24 *dir24_create(const uint32_t *address, const uint8_t *length, const uint32_t *id, long count)
{
    struct dir24 *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    /* At most one block for each prefix longer than /24. */
    for (long i = 0; i < count; i++)
        table->block_room += length[i] > 24;
    table->index = huge_alloc(INDEX_ENTRIES * sizeof(uint32_t));
    table->blocks = huge_alloc((size_t)(table->block_room + 1) * BLOCK_ENTRIES * sizeof(uint32_t));
    if (table->index == NULL || table->blocks == NULL) {
        dir24_free(table);
        return NULL;
    }
    memset(table->index, 0, INDEX_ENTRIES * sizeof(uint32_t));

    for (long i = 0; i < count; i++) {
        uint32_t *first;
        size_t entries;
        if (length[i] <= 24) {
            first = table->index + (address[i] >> 8);
            entries = (size_t)1 << (24 - length[i]);
        } else {
            first = block_for(table, address[i] >> 8) + (address[i] & 0xff);
            entries = (size_t)1 << (32 - length[i]);
        }
        for (size_t e = 0; e < entries; e++)
            first[e] = id[i];
    }
    return table;
}

void dir24_free(struct dir24 *table)
{
    if (table != NULL) {
        free(table->index);
        free(table->blocks);
        free(table);
    }
}

long dir24_bytes(const struct dir24 *table)
{
    return (long)(INDEX_ENTRIES * sizeof(uint32_t)) + table->block_count * BLOCK_ENTRIES * (long)sizeof(uint32_t);
}

static inline uint32_t resolve(const struct dir24 *table, uint32_t address)
{
    uint32_t entry = table->index[address >> 8];
    if (__builtin_expect(entry & BLOCK_FLAG, 0))
        return table->blocks[(size_t)(entry & ~BLOCK_FLAG) * BLOCK_ENTRIES + (address & 0xff)];
    return entry;
}

/* One after the other; the processor overlaps what it can. */
void dir24_lookup(const struct dir24 *table, const uint32_t *address, uint32_t *id, long count)
{
    for (long i = 0; i < count; i++)
        id[i] = resolve(table, address[i]);
}

/* Sixteen at a time: ask for all sixteen lines, then read them. */
void dir24_lookup_batch16(const struct dir24 *table, const uint32_t *address, uint32_t *id, long count)
{
    long at = 0;
    for (; at + BATCH <= count; at += BATCH) {
        for (int i = 0; i < BATCH; i++)
            __builtin_prefetch(table->index + (address[at + i] >> 8));
        for (int i = 0; i < BATCH; i++)
            id[at + i] = resolve(table, address[at + i]);
    }
    for (; at < count; at++)
        id[at] = resolve(table, address[at]);
}

/* The same, but asking for the next sixteen before reading these. */
void dir24_lookup_ahead16(const struct dir24 *table, const uint32_t *address, uint32_t *id, long count)
{
    long at = 0;
    for (int i = 0; i < BATCH && i < count; i++)
        __builtin_prefetch(table->index + (address[i] >> 8));
    for (; at + 2 * BATCH <= count; at += BATCH) {
        for (int i = 0; i < BATCH; i++)
            __builtin_prefetch(table->index + (address[at + BATCH + i] >> 8));
        for (int i = 0; i < BATCH; i++)
            id[at + i] = resolve(table, address[at + i]);
    }
    for (; at < count; at++)
        id[at] = resolve(table, address[at]);
}
