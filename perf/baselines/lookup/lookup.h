/*
 * Longest-prefix-match tables in plain C, to measure the appliance's own against. Written from the published algorithms:
 *   DIR-24-8: Gupta, Lin, McKeown, "Routing Lookups in Hardware at Memory Access Speeds", INFOCOM 1998.
 *   Poptrie:  Asai, Ohara, "Poptrie: A Compressed Trie with Population Count for Fast and Scalable Software IP Routing Table Lookup", SIGCOMM 2015.
 * Built once from a list, read only. Prefixes come in order of address, then length, so that a cover stands before what it covers.
 * Ids are from 1 to 2^31 - 1; 0 is the answer where no prefix matches. A create function returns NULL if memory is short.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

struct dir24;
struct dir24 *dir24_create(const uint32_t *address, const uint8_t *length, const uint32_t *id, long count);
void dir24_free(struct dir24 *table);
long dir24_bytes(const struct dir24 *table);
void dir24_lookup(const struct dir24 *table, const uint32_t *address, uint32_t *id, long count);
void dir24_lookup_batch16(const struct dir24 *table, const uint32_t *address, uint32_t *id, long count);
void dir24_lookup_ahead16(const struct dir24 *table, const uint32_t *address, uint32_t *id, long count);

struct poptrie6;
struct poptrie6 *poptrie6_create(const uint64_t *high, const uint8_t *length, const uint32_t *id, long count);
void poptrie6_free(struct poptrie6 *table);
long poptrie6_bytes(const struct poptrie6 *table);
void poptrie6_lookup(const struct poptrie6 *table, const uint64_t *high, uint32_t *id, long count);
void poptrie6_lookup_batch16(const struct poptrie6 *table, const uint64_t *high, uint32_t *id, long count);

/* Zero-filled only where nothing was written before; 2 MiB pages where the kernel has them. Freed by free(). */
static inline void *huge_alloc(size_t bytes)
{
    size_t rounded = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    void *memory = NULL;
    if (posix_memalign(&memory, HUGE_PAGE, rounded) != 0)
        return NULL;
    madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
}

#endif
