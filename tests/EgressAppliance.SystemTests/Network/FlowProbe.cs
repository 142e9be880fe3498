using System.Globalization;
using System.Text.Json;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>
/// Flow exporters on the edge router: each captures on one provider-facing interface and exports to the appliance, with short timeouts, so that tests do not wait for minutes.
/// The lab ends them.
/// </summary>
internal static class FlowProbe
{
    /// <summary>Longest life of a flow, seconds; exporters take a second or two more.</summary>
    public const int MaxLifeSeconds = 4;

    /// <summary>Starts softflowd.</summary>
    /// <param name="lab">The lab.</param>
    /// <param name="provider">The provider whose interface it watches.</param>
    /// <param name="version">5, 9, or 10 for IPFIX.</param>
    /// <param name="port">The appliance's port.</param>
    public static async Task StartSoftflowdAsync(Lab lab, Provider provider, int version, int port)
    {
        string name = $"softflowd-{provider.Letter}";
        uint index = await IndexOfAsync(lab, provider);
        lab.Adopt(Daemon.Start(name, lab.Folder, lab.EdgeNetwork.Command(
            "softflowd", "-d", "-6", "-i", string.Create(CultureInfo.InvariantCulture, $"{index}:{provider.EdgeInterface}"), "-v", version.ToString(CultureInfo.InvariantCulture),
            "-n", Receiver(lab, port), "-p", Path.Combine(lab.Folder, name + ".pid"), "-c", Path.Combine(lab.Folder, name + ".ctl"),
            "-t", $"maxlife={MaxLifeSeconds}", "-t", "udp=2", "-t", "general=2", "-t", "expint=1")));
    }

    /// <summary>Starts pmacctd with its plugin nfprobe, as IPFIX, on what leaves.</summary>
    public static async Task StartNfprobeAsync(Lab lab, Provider provider, int port)
    {
        const int Life = MaxLifeSeconds;
        uint index = await IndexOfAsync(lab, provider);
        await StartPmacctdAsync(lab, provider, "nfprobe", $"""
            aggregate[x]: src_host,dst_host,src_port,dst_port,proto
            nfprobe_receiver[x]: {Receiver(lab, port)}
            nfprobe_version[x]: 10
            nfprobe_timeouts[x]: tcp=2:tcp.rst=2:tcp.fin=2:udp=2:icmp=2:general=2:maxlife={Life}:expint=1
            nfprobe_direction[x]: out
            nfprobe_ifindex[x]: {index}
            """);
    }

    /// <summary>Starts pmacctd with its plugin sfprobe (sFlow) on what leaves, one packet in <paramref name="sampling"/>.</summary>
    public static async Task StartSfprobeAsync(Lab lab, Provider provider, int port, int sampling)
    {
        uint index = await IndexOfAsync(lab, provider);
        await StartPmacctdAsync(lab, provider, "sfprobe", $"""
            sampling_rate[x]: {sampling}
            sfprobe_receiver[x]: {Receiver(lab, port)}
            sfprobe_agentip[x]: {lab.Sites[0].Address}
            sfprobe_direction[x]: out
            sfprobe_ifindex[x]: {index}
            """);
    }

    private static async Task StartPmacctdAsync(Lab lab, Provider provider, string plugin, string settings)
    {
        string name = $"{plugin}-{provider.Letter}";
        string config = Path.Combine(lab.Folder, name + ".conf");
        await File.WriteAllTextAsync(config, $"""
            daemonize: false
            pcap_interface: {provider.EdgeInterface}
            pcap_direction: out
            plugins: {plugin}[x]
            plugin_pipe_size: 4194304
            plugin_buffer_size: 8192
            {settings}

            """);
        lab.Adopt(Daemon.Start(name, lab.Folder, lab.EdgeNetwork.Command("pmacctd", "-f", config)));
    }

    private static string Receiver(Lab lab, int port) => string.Create(CultureInfo.InvariantCulture, $"{lab.Sites[0].ApplianceAddress}:{port}");

    private static async Task<uint> IndexOfAsync(Lab lab, Provider provider)
    {
        using JsonDocument answer = JsonDocument.Parse(await Shell.CheckedAsync("ip", "-n", lab.EdgeNetwork.Name, "-j", "link", "show", "dev", provider.EdgeInterface));
        return answer.RootElement[0].GetProperty("ifindex").GetUInt32();
    }
}
