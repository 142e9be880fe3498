using System.Globalization;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>net-snmp in the edge router's namespace, with IF-MIB and configured interface speeds.</summary>
internal static class SnmpAgent
{
    /// <summary>Read community (SNMPv2c).</summary>
    public const string Community = "labcommunity";

    private const int EthernetCsmacd = 6;

    /// <summary>Starts it on 192.0.2.1:161. The address stands in the file only: given twice, the agent fails to bind.</summary>
    public static async Task<Daemon> StartAsync(NetNamespace edge, IReadOnlyList<Provider> providers, long speed, string folder)
    {
        string config = Path.Combine(folder, "snmpd.conf");
        string interfaces = string.Concat(providers.Select(provider =>
            string.Create(CultureInfo.InvariantCulture, $"interface {provider.EdgeInterface} {EthernetCsmacd} {speed}\n")));
        await File.WriteAllTextAsync(config, $"agentAddress udp:192.0.2.1:161\nrocommunity {Community}\n{interfaces}");
        string state = Directory.CreateDirectory(Path.Combine(folder, "snmp-state")).FullName;
        return Daemon.Start(
            "snmpd", folder, edge.Command("snmpd", "-f", "-Lf", Path.Combine(folder, "snmpd.log"), "-C", "-c", config),
            new Dictionary<string, string> { ["SNMP_PERSISTENT_DIR"] = state, ["MIBS"] = "" });
    }
}
