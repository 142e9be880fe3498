using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EgressAppliance.Host.Config;

/// <summary>
/// The fingerprint of what all boxes of a site must agree on, or counts of one would mean something else to another: routers, links, layer-2 overhead and the length of a tick. What only one box
/// needs (its addresses, mirrors, limits, secrets) is not in it.
/// </summary>
public static class ClusterHash
{
    private const int Digits = 16;

    /// <summary>Sixteen hexadecimal digits.</summary>
    public static string Of(ApplianceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"site {config.Site}\ncycle {config.Decision.Cycle.Ticks}\n");
        foreach (RouterConfig router in config.Routers)
        {
            text.Append(CultureInfo.InvariantCulture, $"router {router.Name} {router.Address}\n");
        }

        foreach (LinkConfig link in config.Links)
        {
            text.Append(CultureInfo.InvariantCulture, $"link {link.Name} {link.Router} {link.OverheadBytes} {string.Join(' ', link.NextHops)}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..Digits];
    }
}
