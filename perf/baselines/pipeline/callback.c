/* callback: the same counts as pipeline.c the way most capture programs are written: libpcap hands over one packet at a time (pcap_loop), and each is
 * decoded, looked up and counted before the next is seen. Same table, same decoder; what differs is that no two packets' cache misses overlap by design.
 *
 *     callback --table FILE [--link NAME=MAC]... [--passes K] [--dump FILE] PCAP
 */
#define _GNU_SOURCE
#include "count.h"
#include <getopt.h>
#include <pcap/pcap.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
    count_one((struct counting *)user, frame, header->caplen);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"table", 1, 0, 't'}, {"link", 1, 0, 'l'}, {"passes", 1, 0, 'p'}, {"dump", 1, 0, 'd'}, {0}};
    const char *table_path = NULL, *dump = NULL;
    int passes = 1;
    static struct links links;
    memset(links.macs, 0xFF, sizeof links.macs);
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 't': table_path = optarg; break;
        case 'l': links_add(&links, optarg); break;
        case 'p': passes = atoi(optarg); break;
        case 'd': dump = optarg; break;
        default: return 2;
        }
    }
    if (!table_path || optind != argc - 1 || passes < 1) {
        fprintf(stderr, "usage: callback --table FILE [--link NAME=MAC]... [--passes K] [--dump FILE] PCAP\n");
        return 2;
    }
    struct counting *counting = counting_new(table_load(table_path), &links);
    printf("{\"program\":\"callback\",\"passes\":[");
    for (int pass = 0; pass < passes; pass++) {
        char error[PCAP_ERRBUF_SIZE];
        double cpu = cpu_seconds();
        pcap_t *pcap = pcap_open_offline(argv[optind], error);
        if (!pcap || pcap_datalink(pcap) != DLT_EN10MB) {
            fprintf(stderr, "%s: %s\n", argv[optind], pcap ? "not Ethernet" : error);
            return 1;
        }
        if (pcap_loop(pcap, -1, on_packet, (u_char *)counting) != 0) {
            fprintf(stderr, "%s: %s\n", argv[optind], pcap_geterr(pcap));
            return 1;
        }
        pcap_close(pcap);
        printf("%s{\"cpu_seconds\":%.6f}", pass ? "," : "", cpu_seconds() - cpu);
    }
    printf("],");
    print_totals(counting, stdout);
    printf("}\n");
    if (dump) {
        dump_cells(counting, dump);
    }
    return 0;
}
