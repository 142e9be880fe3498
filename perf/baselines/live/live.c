/* live: counts the packets of a network interface by prefix and link, as the appliance does with a mirror port. Two ways:
 *
 *   --mode ring      a TPACKET_V3 ring with the appliance's default settings (64 blocks of 1 MiB, 10 ms, 128 bytes of a frame), read in place, through
 *                    the same groups with prefetch as pipeline.c: what C can make of the kernel's own interface.
 *   --mode callback  libpcap with a callback per packet and a buffer of 64 MiB: how most capture programs are written.
 *
 *     live --mode ring|callback --interface NAME --table FILE [--link NAME=MAC]... [--filter EXPRESSION]
 *
 * Prints a line when it is ready. Then each line on standard input is answered by a JSON object with the totals so far, and its end ends the program.
 * The outermost VLAN tag is not in the bytes of a ring's frame; links go by MAC, so it is not needed.
 */
#define _GNU_SOURCE
#include "../pipeline/count.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SNAP_LENGTH 128
#define BLOCKS 64
#define BLOCK_BYTES (1 << 20)
#define TIMEOUT_MS 10
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* Answers the lines that stand on standard input; false at its end. */
static bool answer(const struct counting *c, uint64_t drops, uint64_t freezes)
{
    char text[256];
    ssize_t got = read(0, text, sizeof text);
    for (ssize_t i = 0; i < got; i++) {
        if (text[i] == '\n') {
            printf("{");
            print_totals(c, stdout);
            printf(",\"drops\":%lu,\"freezes\":%lu}\n", drops, freezes);
        }
    }
    fflush(stdout);
    return got > 0;
}

static void set(int fd, int level, int option, const void *value, socklen_t length, const char *what)
{
    if (setsockopt(fd, level, option, value, length) != 0) {
        fail(what);
    }
}

/* The filter's program returns the snap length, so that the kernel copies no more than that. */
static struct sock_fprog compile(const char *filter)
{
    static struct bpf_program program;
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAP_LENGTH);
    if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        fprintf(stderr, "%s: %s\n", filter, pcap_geterr(pcap));
        exit(2);
    }
    pcap_close(pcap);
    return (struct sock_fprog){(unsigned short)program.bf_len, (struct sock_filter *)program.bf_insns};
}

static uint8_t *open_ring(const char *interface, const char *filter, int *fd)
{
    int version = TPACKET_V3, on = 1, index = (int)if_nametoindex(interface);
    *fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (*fd < 0 || index == 0) {
        fail(interface);
    }
    set(*fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version, "TPACKET_V3");
    set(*fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on, "PACKET_IGNORE_OUTGOING");
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_BYTES, .tp_block_nr = BLOCKS, .tp_frame_size = 2048, .tp_frame_nr = BLOCK_BYTES / 2048 * BLOCKS,
        .tp_retire_blk_tov = TIMEOUT_MS,
    };
    set(*fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request, "PACKET_RX_RING");
    uint8_t *ring = mmap(NULL, (size_t)BLOCK_BYTES * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, *fd, 0);
    if (ring == MAP_FAILED) {
        fail("mmap");
    }
    struct sock_fprog program = compile(filter);
    set(*fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program, "SO_ATTACH_FILTER");
    struct packet_mreq promiscuous = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
    set(*fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous, "PACKET_ADD_MEMBERSHIP");
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
    if (bind(*fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("bind");
    }
    return ring;
}

static void count_block(struct counting *c, const struct tpacket_block_desc *block)
{
    const uint8_t *end = (const uint8_t *)block + BLOCK_BYTES;
    const uint8_t *at = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;
    for (uint32_t left = block->hdr.bh1.num_pkts; left > 0;) {
        struct group *g = c->groups + c->step;
        uint32_t count = left < GROUP ? left : GROUP;
        for (uint32_t i = 0; i < count; i++) {
            const struct tpacket3_hdr *header = (const struct tpacket3_hdr *)at;
            const uint8_t *frame = at + header->tp_mac;
            __builtin_prefetch(at + STREAM_AHEAD); /* another processor wrote them */
            decode_into(c, g, frame, header->tp_snaplen, end - frame >= DECODE_READS);
            at += header->tp_next_offset;
        }
        c->frames += count;
        left -= count;
        counting_step(c);
    }
}

static void receive_ring(struct counting *c, const char *interface, const char *filter)
{
    int fd;
    uint8_t *ring = open_ring(interface, filter, &fd);
    uint64_t drops = 0, freezes = 0;
    puts("ready");
    fflush(stdout);
    for (uint32_t current = 0;;) {
        struct tpacket_block_desc *block = (struct tpacket_block_desc *)(ring + (size_t)current * BLOCK_BYTES);
        if (__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) {
            count_block(c, block);
            __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
            current = (current + 1) % BLOCKS;
            continue;
        }
        counting_flush(c);
        struct pollfd wait[2] = {{.fd = fd, .events = POLLIN | POLLERR}, {.fd = 0, .events = POLLIN}};
        poll(wait, 2, -1);
        if (wait[1].revents) {
            struct tpacket_stats_v3 stats; /* reset by reading */
            socklen_t length = sizeof stats;
            if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0) {
                drops += stats.tp_drops;
                freezes += stats.tp_freeze_q_cnt;
            }
            if (!answer(c, drops, freezes)) {
                return;
            }
        }
    }
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
    count_one((struct counting *)user, frame, header->caplen);
}

static void receive_callback(struct counting *c, const char *interface, const char *filter)
{
    char error[PCAP_ERRBUF_SIZE];
    struct bpf_program program;
    pcap_t *pcap = pcap_create(interface, error);
    if (!pcap || pcap_set_snaplen(pcap, SNAP_LENGTH) || pcap_set_promisc(pcap, 1) || pcap_set_timeout(pcap, TIMEOUT_MS)
        || pcap_set_buffer_size(pcap, BLOCKS * BLOCK_BYTES) || pcap_activate(pcap) < 0 || pcap_setdirection(pcap, PCAP_D_IN)
        || pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) || pcap_setfilter(pcap, &program)) {
        fprintf(stderr, "%s: %s\n", interface, pcap ? pcap_geterr(pcap) : error);
        exit(1);
    }
    /* Where there are no packets pcap_dispatch may wait for ever, and then nobody would look at standard input. */
    pcap_setnonblock(pcap, 1, error);
    puts("ready");
    fflush(stdout);
    while (1) {
        int handled = pcap_dispatch(pcap, -1, on_packet, (u_char *)c);
        if (handled < 0) {
            fprintf(stderr, "%s: %s\n", interface, pcap_geterr(pcap));
            exit(1);
        }
        if (handled > 0) {
            continue;
        }
        struct pollfd wait[2] = {{.fd = pcap_get_selectable_fd(pcap), .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        poll(wait, 2, -1);
        if (wait[1].revents) {
            struct pcap_stat stats = {0};
            pcap_stats(pcap, &stats);
            if (!answer(c, stats.ps_drop, 0)) {
                return;
            }
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"mode", 1, 0, 'm'}, {"interface", 1, 0, 'i'}, {"table", 1, 0, 't'}, {"link", 1, 0, 'l'}, {"filter", 1, 0, 'f'}, {0},
    };
    const char *mode = "ring", *interface = NULL, *table = NULL, *filter = "";
    static struct links links;
    memset(links.macs, 0xFF, sizeof links.macs);
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 'm': mode = optarg; break;
        case 'i': interface = optarg; break;
        case 't': table = optarg; break;
        case 'l': links_add(&links, optarg); break;
        case 'f': filter = optarg; break;
        default: return 2;
        }
    }
    if (!interface || !table || optind != argc) {
        fprintf(stderr, "usage: live --mode ring|callback --interface NAME --table FILE [--link NAME=MAC]... [--filter EXPRESSION]\n");
        return 2;
    }
    struct counting *c = counting_new(table_load(table), &links);
    if (!strcmp(mode, "ring")) {
        receive_ring(c, interface, filter);
    } else {
        receive_callback(c, interface, filter);
    }
    return 0;
}
