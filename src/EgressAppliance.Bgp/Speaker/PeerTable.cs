using EgressAppliance.Bgp.Session;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// What the speaker keeps of one peer besides its paths. Guarded by the speaker's lock.
/// </summary>
internal sealed class PeerTable(TimeProvider time, BgpSpeakerOptions options, BgpPeerOptions peer)
{
    /// <summary>The warning of <see cref="BgpPeerOptions.MaxPrefixWarning"/> ends this share of the limit below where it began, so that a table that moves about the mark does not warn all day.</summary>
    private const double WarningHysteresis = 0.05;
    private readonly Dictionary<IpFamily, long> _refreshed = [];

    /// <summary>Agreed on by OPEN; null while the session is not established.</summary>
    public SessionParameters? Parameters { get; private set; }

    /// <summary>Where our UPDATEs go; null while the session is not established.</summary>
    public BgpConnection? Connection { get; private set; }

    /// <summary>What the peer is told; null while the session is not established, and for external peers, who are never told anything.</summary>
    public PeerOutput? Output { get; private set; }

    /// <summary>How far its table has come.</summary>
    public TableLoad Load { get; } = new(time, options.QuietTime);

    /// <summary>The highest LOCAL_PREF that any of its routes had since the session is up; noted only for one that sends best paths.</summary>
    public uint HighestLocalPref { get; set; }

    /// <summary>The limit on prefixes is near.</summary>
    public bool MaxPrefixWarning { get; private set; }

    /// <summary>UPDATEs with an error of RFC 7606.</summary>
    public long UpdateErrors { get; set; }

    /// <summary>Routes that were left out: our own marked ones coming back, or with our AS in the path.</summary>
    public long RoutesIgnored { get; set; }

    /// <summary>ROUTE-REFRESH requests sent.</summary>
    public long RefreshesSent { get; set; }

    /// <summary>ROUTE-REFRESH requests received.</summary>
    public long RefreshesReceived { get; set; }

    /// <summary>The session is established.</summary>
    public void Up(SessionParameters parameters, BgpConnection connection)
    {
        Parameters = parameters;
        Connection = connection;
        Output = parameters.Internal ? new PeerOutput(parameters, peer.PeerAcceptsAtMost ?? int.MaxValue, new(time, options.MaxAnnouncementsPerSecond)) : null;
        MaxPrefixWarning = false;
        HighestLocalPref = 0;
        _refreshed.Clear();
        Load.Start(parameters.Families);
    }

    /// <summary>The session is gone.</summary>
    public void Down()
    {
        Parameters = null;
        Connection = null;
        Output = null;
        MaxPrefixWarning = false;
        Load.Stop();
    }

    /// <summary>Compares the number of paths held with the limit. <paramref name="crossed"/>: the warning's mark was just passed.</summary>
    public bool IsOverLimit(int total, out bool crossed)
    {
        double share = (double)total / Math.Max(1, peer.MaxPrefix);
        crossed = !MaxPrefixWarning && share >= peer.MaxPrefixWarning;
        MaxPrefixWarning = crossed || (MaxPrefixWarning && share >= peer.MaxPrefixWarning - WarningHysteresis);
        return total > peer.MaxPrefix;
    }

    /// <summary>True, and noted, if a family may be requested anew.</summary>
    public bool TryRefresh(IpFamily family)
    {
        long now = time.GetTimestamp();
        if (_refreshed.TryGetValue(family, out long last) && time.GetElapsedTime(last, now) < options.RefreshInterval)
        {
            return false;
        }

        _refreshed[family] = now;
        return true;
    }
}
