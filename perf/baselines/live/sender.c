/* sender: sends the frames of a capture file out of an interface, for a time, at a rate or as fast as it can, and prints how many went out.
 *
 *     sender --interface NAME --seconds S [--rate PACKETS_PER_SECOND] PCAP
 *
 * The first FRAMES frames of the file (little-endian pcap, Ethernet) are sent over and over by sendmmsg(2) on a packet socket that goes round the queueing
 * discipline. A paced sender sends what is due every millisecond. Frames are sent as they were captured: cut short, which the receivers' decoders do not mind.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 1000000
#define BATCH 64

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint32_t load_frames(const char *path, struct mmsghdr *messages, struct iovec *parts)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0) {
        fail(path);
    }
    uint8_t *file = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (file == MAP_FAILED) {
        fail(path);
    }
    uint32_t count = 0;
    for (off_t at = 24; at + 16 <= info.st_size && count < FRAMES; count++) {
        uint32_t captured;
        memcpy(&captured, file + at + 8, 4);
        if (at + 16 + (off_t)captured > info.st_size) {
            break;
        }
        parts[count] = (struct iovec){file + at + 16, captured};
        messages[count].msg_hdr.msg_iov = parts + count;
        messages[count].msg_hdr.msg_iovlen = 1;
        at += 16 + (off_t)captured;
    }
    return count;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"interface", 1, 0, 'i'}, {"seconds", 1, 0, 's'}, {"rate", 1, 0, 'r'}, {0}};
    const char *interface = NULL;
    double seconds = 1, rate = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 'i': interface = optarg; break;
        case 's': seconds = atof(optarg); break;
        case 'r': rate = atof(optarg); break;
        default: return 2;
        }
    }
    if (!interface || optind != argc - 1) {
        fprintf(stderr, "usage: sender --interface NAME --seconds S [--rate PACKETS_PER_SECOND] PCAP\n");
        return 2;
    }
    static struct mmsghdr messages[FRAMES];
    static struct iovec parts[FRAMES];
    uint32_t frames = load_frames(argv[optind], messages, parts);
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || frames == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0
        || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0) {
        fail(interface);
    }
    uint64_t sent = 0, refused = 0;
    double start = now(), passed = 0;
    for (uint32_t next = 0; (passed = now() - start) < seconds;) {
        uint64_t due = rate > 0 ? (uint64_t)(passed * rate) : UINT64_MAX;
        if (due <= sent) {
            nanosleep(&(struct timespec){0, 500000}, NULL);
            continue;
        }
        uint32_t count = due - sent < BATCH ? (uint32_t)(due - sent) : BATCH;
        count = count < frames - next ? count : frames - next;
        int done = sendmmsg(fd, messages + next, count, 0);
        if (done < 0 && errno != ENOBUFS && errno != EAGAIN) {
            fail("sendmmsg");
        }
        refused += done < 0;
        sent += done > 0 ? (uint64_t)done : 0;
        next = (next + (done > 0 ? (uint32_t)done : 1)) % frames;
    }
    printf("{\"sent\":%lu,\"refused\":%lu,\"seconds\":%.6f}\n", sent, refused, passed);
    return 0;
}
