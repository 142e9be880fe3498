using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>
/// A BIRD in the appliance's place that announces fixed overrides. With it the lab's own view of overrides (router tables, leaks,
/// counters) is tested apart from the appliance.
/// </summary>
internal static class HandInjector
{
    private const string NoExport = "65535:65281";

    /// <summary>Announces prefixes by a provider's path, with a marker and with or without NO_EXPORT.</summary>
    public static async Task<Daemon> StartAsync(Lab lab, Provider provider, string marker, IReadOnlyList<LabPrefix> prefixes, bool noExport = true)
    {
        string[] communities = noExport ? [NoExport, marker] : [marker];
        string config = Path.Combine(lab.Folder, "injector.conf");
        await File.WriteAllTextAsync(config, $$"""
            log "{{lab.Folder}}/injector.log" all;
            router id 192.0.2.2;
            protocol device { }
            protocol static static4 { ipv4; {{Routes(prefixes, ipv6: false)}} }
            protocol static static6 { ipv6; {{Routes(prefixes, ipv6: true)}} }
            {{Filter(4, provider, provider.Ipv4, communities)}}
            {{Filter(6, provider, provider.Ipv6, communities)}}
            protocol bgp edge {
              local 192.0.2.2 as 65000;
              neighbor 192.0.2.1 as 65000;
              hold time 9; keepalive time 3; connect retry time 1; connect delay time 1; error wait time 1, 2; graceful restart off;
              ipv4 { import all; export filter override4; add paths rx; };
              ipv6 { import all; export filter override6; add paths rx; };
            }
            """);
        Daemon daemon = Daemon.Start(
            "injector", lab.Folder,
            lab.ApplianceNetwork.Command("bird", "-f", "-c", config, "-s", Path.Combine(lab.Folder, "injector.ctl"), "-P", Path.Combine(lab.Folder, "injector.pid")));
        lab.Adopt(daemon);
        return daemon;
    }

    private static string Routes(IReadOnlyList<LabPrefix> prefixes, bool ipv6) =>
        string.Join(' ', prefixes.Where(prefix => prefix.IsIpv6 == ipv6).Select(prefix => $"route {prefix.Prefix} blackhole;"));

    private static string Filter(int version, Provider provider, string nextHop, IReadOnlyList<string> communities) => $$"""
        filter override{{version}} {
          if source != RTS_STATIC then reject;
          bgp_next_hop = {{nextHop}}; bgp_local_pref = 200;
          {{string.Join(' ', communities.Select(community => $"bgp_community.add(({community.Replace(':', ',')}));"))}}
          {{string.Join(' ', provider.AsPath.Split(' ').Reverse().Select(number => $"bgp_path.prepend({number});"))}}
          accept;
        }
        """;
}
