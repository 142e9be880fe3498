using System.Globalization;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>net-snmp in the edge router's namespace, with IF-MIB and configured interface speeds.</summary>
internal static class SnmpAgent
{
    /// <summary>Read community (SNMPv2c).</summary>
    public const string Community = "labcommunity";

    /// <summary>Name and passwords of its user of version 3 (SHA-256, AES).</summary>
    public const string User = "labuser";

    /// <summary>Authentication password.</summary>
    public const string AuthPassword = "labauthpass";

    /// <summary>Privacy password.</summary>
    public const string PrivPassword = "labprivpass";

    /// <summary>Another user with the same passwords, whom the documentation's examples name.</summary>
    public const string DocumentedUser = "egress";

    private const int EthernetCsmacd = 6;

    /// <summary>Starts it on port 161 of a router. The address stands in the file only: given twice, the agent fails to bind.</summary>
    public static async Task<Daemon> StartAsync(EdgeSite site, long speed)
    {
        string config = Path.Combine(site.Folder, "snmpd.conf");
        string interfaces = string.Concat(site.Providers.Select(provider =>
            string.Create(CultureInfo.InvariantCulture, $"interface {provider.EdgeInterface} {EthernetCsmacd} {speed}\n")));
        await File.WriteAllTextAsync(config, $"agentAddress udp:{site.Address}:161\nrocommunity {Community}\ncreateUser {User} SHA-256 {AuthPassword} AES {PrivPassword}\nrouser {User} authpriv\ncreateUser {DocumentedUser} SHA-256 {AuthPassword} AES {PrivPassword}\nrouser {DocumentedUser} authpriv\n{interfaces}");
        string state = Directory.CreateDirectory(Path.Combine(site.Folder, "snmp-state")).FullName;
        return Daemon.Start(
            $"{site.Name}-snmpd", site.Folder, site.Network.Command("snmpd", "-f", "-Lf", Path.Combine(site.Folder, "snmpd.log"), "-C", "-c", config),
            new Dictionary<string, string> { ["SNMP_PERSISTENT_DIR"] = state, ["MIBS"] = "" });
    }
}
