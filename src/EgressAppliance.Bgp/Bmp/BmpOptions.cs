using System.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>What the monitoring station needs.</summary>
public sealed record BmpStationOptions
{
    /// <summary>The routers that may be monitored. A connection from any other address is refused.</summary>
    public required IReadOnlyList<BmpRouterOptions> Routers { get; init; }

    /// <summary>Addresses and ports to accept connections on; empty if all routers are connected to.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];

    /// <summary>Longest message taken, octets. A longer one ends the connection.</summary>
    public int MaxMessageLength { get; init; } = BmpConstants.DefaultMaxMessageLength;

    /// <summary>Tables of peers held at a time over all routers: the handles given out are 0 to this − 1.</summary>
    public int MaxSources { get; init; } = 1024;

    /// <summary>A peer that is up this long without a route gets a hint in its status.</summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>One router.</summary>
public sealed record BmpRouterOptions
{
    /// <summary>The router's name in configuration.</summary>
    public required string Name { get; init; }

    /// <summary>The router's address: where its connections come from, and where ours go to.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>TCP port to connect to for a router that waits for the station, or null for one that connects here.</summary>
    public int? ConnectPort { get; init; }

    /// <summary>Shortest wait before a reconnect; doubles with each failure up to <see cref="ConnectRetryMax"/>, less up to 25 % of jitter.</summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait before a reconnect. A connection that lasted this long counts as good and starts the waits over.</summary>
    public TimeSpan ConnectRetryMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long one attempt to connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Monitored peers at a time. One more ends the connection.</summary>
    public int MaxPeers { get; init; } = 500;

    /// <summary>Routes of all tables that the listener may hold for the router. More end the connection.</summary>
    public long MaxRoutes { get; init; } = 10_000_000;

    /// <summary>
    /// After a connection that a limit ended, further ones of the router are refused for this long: it would only send the same tables again, and routers reconnect
    /// within a second.
    /// </summary>
    public TimeSpan LimitHold { get; init; } = TimeSpan.FromMinutes(1);
}
