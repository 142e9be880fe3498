/* pipeline: counts a capture file's packets by prefix and link, as `egress-appliance replay` does, as fast as we can make C do it.
 *
 * It is the yardstick for the appliance's data path: same input, same checks on every frame, same counts. The file is mapped, records are walked in place, and
 * groups of packets go through the steps that count.h describes. Every pass maps, walks and counts the file anew, and its CPU time is printed; loading the
 * table is not in it. With --threads N the file is cut into N parts at record boundaries that are found before the clock starts, one thread each.
 *
 *     pipeline --table FILE [--link NAME=MAC]... [--passes K] [--threads N] [--map populate|fault|read] [--dump FILE] PCAP
 *
 * Little-endian pcap files of Ethernet only. One JSON object on standard output.
 */
#define _GNU_SOURCE
#include "count.h"
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define READ_BYTES (1 << 20)

enum map_mode { POPULATE, FAULT, READ };

struct part {
    const char *path;
    enum map_mode mode;
    off_t begin, end;
    struct counting *counting;
    pthread_t thread;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Walks the records that end within [at, end); bytes up to limit can be read. Returns where it stopped: at a record that does not. */
static const uint8_t *walk(struct counting *c, const uint8_t *at, const uint8_t *end, const uint8_t *limit)
{
    while (1) {
        struct group *g = c->groups + c->step;
        uint32_t i = 0;
        for (; i < GROUP && end - at >= RECORD_HEADER; i++) {
            uint32_t captured = load32(at + 8);
            const uint8_t *frame = at + RECORD_HEADER;
            if (__builtin_expect(captured > (size_t)(end - frame), 0)) {
                break;
            }
            __builtin_prefetch(at + STREAM_AHEAD);
            decode_into(c, g, frame, captured, limit - frame >= DECODE_READS);
            at = frame + captured;
        }
        c->frames += i;
        counting_step(c);
        if (i < GROUP) {
            return at;
        }
    }
}

static void count_mapped(struct part *part, int fd)
{
    size_t skip = (size_t)part->begin & 4095, length = (size_t)(part->end - part->begin) + skip;
    uint8_t *map = mmap(NULL, length, PROT_READ, MAP_PRIVATE | (part->mode == POPULATE ? MAP_POPULATE : 0), fd, part->begin - (off_t)skip);
    if (map == MAP_FAILED) {
        fail(part->path);
    }
    madvise(map, length, MADV_SEQUENTIAL);
    walk(part->counting, map + skip, map + length, map + length);
    counting_flush(part->counting);
    munmap(map, length);
}

static void count_read(struct part *part, int fd)
{
    static __thread uint8_t *buffer;
    if (!buffer) {
        buffer = huge_alloc(2 * READ_BYTES);
    }
    size_t held = 0;
    for (off_t at = part->begin; at < part->end;) {
        size_t want = READ_BYTES;
        want = (off_t)want > part->end - at ? (size_t)(part->end - at) : want;
        ssize_t got = pread(fd, buffer + held, want, at);
        if (got <= 0) {
            fail(part->path);
        }
        at += got;
        held += (size_t)got;
        const uint8_t *stopped = walk(part->counting, buffer, buffer + held, buffer + held);
        held = (size_t)(buffer + held - stopped);
        if (held > READ_BYTES) {
            fprintf(stderr, "%s: a record of more than %d bytes\n", part->path, READ_BYTES);
            exit(1);
        }
        memmove(buffer, stopped, held);
    }
    counting_flush(part->counting);
}

static void *count_part(void *argument)
{
    struct part *part = argument;
    int fd = open(part->path, O_RDONLY);
    if (fd < 0) {
        fail(part->path);
    }
    if (part->mode == READ) {
        count_read(part, fd);
    } else {
        count_mapped(part, fd);
    }
    close(fd);
    return NULL;
}

/* Checks the file's header and cuts it into parts of about equal size at record boundaries. */
static void cut(const char *path, struct part *parts, int count)
{
    int fd = open(path, O_RDONLY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        fail(path);
    }
    const uint8_t *file = mmap(NULL, (size_t)info.st_size + 1, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED) {
        fail(path);
    }
    uint32_t magic = info.st_size < FILE_HEADER ? 0 : load32(file);
    if ((magic != 0xA1B2C3D4 && magic != 0xA1B23C4D) || load16(file + 20) != 1) {
        fprintf(stderr, "%s: not a little-endian pcap file of Ethernet\n", path);
        exit(1);
    }
    off_t at = FILE_HEADER;
    for (int i = 0; i < count; i++) {
        parts[i].begin = at;
        off_t target = i == count - 1 ? info.st_size : FILE_HEADER + (info.st_size - FILE_HEADER) / count * (i + 1);
        if (i == count - 1) {
            at = info.st_size;
        }
        while (at < target && info.st_size - at >= RECORD_HEADER) {
            at += RECORD_HEADER + (off_t)load32(file + at + 8);
        }
        at = at > info.st_size ? info.st_size : at;
        parts[i].end = at;
    }
    munmap((void *)file, (size_t)info.st_size + 1);
    close(fd);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"table", 1, 0, 't'}, {"link", 1, 0, 'l'}, {"passes", 1, 0, 'p'}, {"threads", 1, 0, 'n'},
        {"map", 1, 0, 'm'}, {"dump", 1, 0, 'd'}, {0},
    };
    const char *table_path = NULL, *dump = NULL;
    enum map_mode mode = FAULT;
    int passes = 1, threads = 1;
    static struct links links;
    memset(links.macs, 0xFF, sizeof links.macs);
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 't': table_path = optarg; break;
        case 'l': links_add(&links, optarg); break;
        case 'p': passes = atoi(optarg); break;
        case 'n': threads = atoi(optarg); break;
        case 'd': dump = optarg; break;
        case 'm': mode = !strcmp(optarg, "populate") ? POPULATE : !strcmp(optarg, "read") ? READ : FAULT; break;
        default: return 2;
        }
    }
    if (!table_path || optind != argc - 1 || passes < 1 || threads < 1 || threads > 64) {
        fprintf(stderr, "usage: pipeline --table FILE [--link NAME=MAC]... [--passes K] [--threads N] [--map populate|fault|read] [--dump FILE] PCAP\n");
        return 2;
    }
    struct table *table = table_load(table_path);
    struct part parts[64];
    cut(argv[optind], parts, threads);
    for (int i = 0; i < threads; i++) {
        parts[i].path = argv[optind];
        parts[i].mode = mode;
        parts[i].counting = counting_new(table, &links);
    }
    printf("{\"program\":\"pipeline\",\"threads\":%d,\"passes\":[", threads);
    for (int pass = 0; pass < passes; pass++) {
        double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
        for (int i = 1; i < threads; i++) {
            if (pthread_create(&parts[i].thread, NULL, count_part, parts + i) != 0) {
                fail("pthread_create");
            }
        }
        count_part(parts);
        for (int i = 1; i < threads; i++) {
            pthread_join(parts[i].thread, NULL);
        }
        printf("%s{\"cpu_seconds\":%.6f,\"wall_seconds\":%.6f}", pass ? "," : "", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, seconds(CLOCK_MONOTONIC) - wall);
    }
    for (int i = 1; i < threads; i++) {
        counting_merge(parts[0].counting, parts[i].counting);
    }
    printf("],");
    print_totals(parts[0].counting, stdout);
    printf(",\"table\":{\"prefixes\":%u,\"blocks\":%u,\"node_lines\":%u}}\n", table->ids - 1, table->blocks, table->nodes);
    if (dump) {
        dump_cells(parts[0].counting, dump);
    }
    return 0;
}
