using System.Globalization;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>
/// One provider: a BIRD that announces every prefix of the lab, with a path that is one AS longer from provider to provider (so
/// that A is best everywhere), in a namespace that forwards to the clients.
/// </summary>
internal sealed class Provider
{
    private const int OriginAs = 64900;

    private readonly HashSet<string> _withheld = [];
    private readonly IReadOnlyList<LabPrefix> _prefixes;
    private readonly string _folder;

    /// <summary>Describes provider A, B or C (number 1, 2, 3).</summary>
    public Provider(int number, NetNamespace network, IReadOnlyList<LabPrefix> prefixes, string folder)
    {
        Number = number;
        Network = network;
        _prefixes = prefixes;
        _folder = folder;
    }

    /// <summary>1, 2 or 3.</summary>
    public int Number { get; }

    /// <summary>Its namespace.</summary>
    public NetNamespace Network { get; }

    /// <summary><c>a</c>, <c>b</c> or <c>c</c>.</summary>
    public char Letter => (char)('a' + Number - 1);

    /// <summary>Name of the link in the appliance's configuration.</summary>
    public string Link => $"isp-{Letter}";

    /// <summary>Interface on the edge router.</summary>
    public string EdgeInterface => $"prov-{Letter}";

    /// <summary>Interface at the clients, by which ground truth tells who delivered.</summary>
    public string ClientInterface => $"from-{Letter}";

    /// <summary>AS number.</summary>
    public int As => 64500 + Number;

    /// <summary>IPv4 address on the link to the edge.</summary>
    public string Ipv4 => $"100.64.{Number}.2";

    /// <summary>IPv6 address on the link to the edge.</summary>
    public string Ipv6 => $"2001:db8:ff:{Number}::2";

    /// <summary>The edge's IPv4 address on the link.</summary>
    public string EdgeIpv4 => $"100.64.{Number}.1";

    /// <summary>The edge's IPv6 address on the link.</summary>
    public string EdgeIpv6 => $"2001:db8:ff:{Number}::1";

    /// <summary>MAC address of its port towards the edge.</summary>
    public string Mac => $"02:00:00:00:0{Letter}:02";

    /// <summary>MAC address of the edge's port.</summary>
    public string EdgeMac => $"02:00:00:00:0{Letter}:01";

    /// <summary>AS_PATH of its announcements: own AS, Number − 1 transit ASes, the origin.</summary>
    public string AsPath => string.Join(' ', TransitPath.Prepend(As));

    private string Config => Path.Combine(_folder, $"{Link}.conf");

    private string Socket => Path.Combine(_folder, $"{Link}.ctl");

    private IEnumerable<int> TransitPath => Enumerable.Range(1, Number - 1).Select(i => 64600 + (10 * Number) + i).Append(OriginAs);

    /// <summary>Next hop of this provider for a prefix, as configured on the appliance.</summary>
    public string NextHop(LabPrefix prefix) => prefix.IsIpv6 ? Ipv6 : Ipv4;

    /// <summary>Starts its BIRD.</summary>
    public async Task<Daemon> StartAsync()
    {
        await File.WriteAllTextAsync(Config, BuildConfig());
        return Daemon.Start(Link, _folder, Network.Command("bird", "-f", "-c", Config, "-s", Socket, "-P", Path.Combine(_folder, $"{Link}.pid")));
    }

    /// <summary>
    /// Withdraws a prefix while the session stays up, and stops to forward it: whoever still sends it here loses it, as with a real
    /// provider.
    /// </summary>
    public async Task WithdrawAsync(LabPrefix prefix)
    {
        _withheld.Add(prefix.Prefix);
        await Network.IpAsync($"route add blackhole {prefix.Prefix}");
        await ReconfigureAsync();
    }

    /// <summary>Announces and forwards a withdrawn prefix again.</summary>
    public async Task RestoreAsync(LabPrefix prefix)
    {
        _withheld.Remove(prefix.Prefix);
        await Network.IpAsync($"route del blackhole {prefix.Prefix}");
        await ReconfigureAsync();
    }

    /// <summary>What the edge router announces to this provider for a prefix, as BIRD prints it; empty if nothing.</summary>
    public async Task<string> HeardFromEdgeAsync(LabPrefix prefix) =>
        string.Join('\n', (await BirdcAsync($"show route {prefix.Prefix} protocol edge{(prefix.IsIpv6 ? 6 : 4)} all"))
            .Split('\n')
            .Where(line => line.Contains("bgp_path", StringComparison.OrdinalIgnoreCase) || line.Contains("as_path", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Asks its BIRD.</summary>
    public Task<string> BirdcAsync(string command) => Shell.CheckedAsync("birdc", "-s", Socket, "-r", command);

    private async Task ReconfigureAsync()
    {
        await File.WriteAllTextAsync(Config, BuildConfig());
        string answer = await Shell.CheckedAsync("birdc", "-s", Socket, "configure");
        if (!answer.Contains("Reconfigured", StringComparison.Ordinal) && !answer.Contains("Reconfiguration in progress", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{Link} did not take its new configuration: {answer}");
        }
    }

    private string BuildConfig() => string.Create(CultureInfo.InvariantCulture, $$"""
        log "{{Path.Combine(_folder, Link)}}.log" all;
        router id {{Ipv4}};
        protocol device { }
        protocol static static4 { ipv4; {{Routes(ipv6: false)}} }
        protocol static static6 { ipv6; {{Routes(ipv6: true)}} }
        {{Family(4, EdgeIpv4, Ipv4)}}
        {{Family(6, EdgeIpv6, Ipv6)}}
        """);

    private string Routes(bool ipv6) => string.Join(' ', _prefixes.Where(p => p.IsIpv6 == ipv6).Select(p => $"route {p.Prefix} blackhole;"));

    private string Family(int version, string neighbor, string local)
    {
        string[] withheld = [.. _withheld.Where(p => p.Contains(':', StringComparison.Ordinal) == (version == 6))];
        string reject = withheld.Length == 0 ? "" : $"if net ~ [ {string.Join(", ", withheld)} ] then reject;";
        string prepend = string.Concat(TransitPath.Reverse().Select(number => $" bgp_path.prepend({number});"));
        return $$"""
            filter to_edge{{version}} { if source != RTS_STATIC then reject; {{reject}}{{prepend}} accept; }
            protocol bgp edge{{version}} {
              local {{local}} as {{As}};
              neighbor {{neighbor}} as 65000;
              hold time 9; keepalive time 3; connect retry time 1; connect delay time 1; error wait time 1, 2;
              ipv{{version}} { import all; export filter to_edge{{version}}; };
            }
            """;
    }
}
