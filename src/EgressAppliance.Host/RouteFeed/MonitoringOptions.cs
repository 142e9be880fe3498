using System.Net;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>Maps the configuration to the options of the BMP station.</summary>
public static class MonitoringOptions
{
    /// <summary>The options, or null if no router is monitored.</summary>
    public static BmpStationOptions? From(ApplianceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        BmpRouterOptions[] routers = [.. config.Routers.Where(r => r.Bmp is not null).Select(r => Router(r, r.Bmp!))];
        return routers.Length == 0 ? null : new()
        {
            Routers = routers,
            Listen = [.. config.Routers.Select(r => r.Bmp?.Listen).OfType<IPEndPoint>().Distinct()],
        };
    }

    private static BmpRouterOptions Router(RouterConfig router, BmpConfig bmp) => new()
    {
        Name = router.Name,
        Address = bmp.Address,
        ConnectPort = bmp.ConnectPort,
        MaxRoutes = bmp.MaxRoutes,
    };
}
