using EgressAppliance.Bgp.Session;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// What the speaker keeps of one peer besides its paths, and the question whether its table is complete. Guarded by the speaker's lock.
/// </summary>
/// <remarks>
/// A router that sends End-of-RIB for every family has said so itself. FRR sends none unless graceful restart is offered, which we never
/// do; then the table counts as complete when its growth has stopped: no new path for the quiet time, or, since a full table always moves
/// a little, new paths of less than half a percent of the table within one.
/// </remarks>
internal sealed class PeerTable(TimeProvider time, BgpSpeakerOptions options, BgpPeerOptions peer)
{
    private const int SettledShare = 200;

    /// <summary>The warning of <see cref="BgpPeerOptions.MaxPrefixWarning"/> ends this share of the limit below where it began, so that a table that moves about the mark does not warn all day.</summary>
    private const double WarningHysteresis = 0.05;
    private readonly TimeSpan _quietTime = options.QuietTime;
    private readonly Dictionary<IpFamily, long> _refreshed = [];
    private readonly HashSet<IpFamily> _endOfRib = [];
    private long _windowStart;
    private long _lastAdded;
    private int _addedInWindow;
    private int _total;
    private bool _complete;

    /// <summary>Agreed on by OPEN; null while the session is not established.</summary>
    public SessionParameters? Parameters { get; private set; }

    /// <summary>Where our UPDATEs go; null while the session is not established.</summary>
    public BgpConnection? Connection { get; private set; }

    /// <summary>What the peer is told; null while the session is not established, and for external peers, who are never told anything.</summary>
    public PeerOutput? Output { get; private set; }

    /// <summary>The limit on prefixes is near.</summary>
    public bool MaxPrefixWarning { get; private set; }

    /// <summary>UPDATEs with an error of RFC 7606.</summary>
    public long UpdateErrors { get; set; }

    /// <summary>Routes that were left out: our own marked ones coming back, or with our AS in the path.</summary>
    public long RoutesIgnored { get; set; }

    /// <summary>The session is established.</summary>
    public void Up(SessionParameters parameters, BgpConnection connection)
    {
        Parameters = parameters;
        Connection = connection;
        Output = parameters.Internal ? new PeerOutput(parameters, peer.PeerAcceptsAtMost ?? int.MaxValue, new(time, options.MaxAnnouncementsPerSecond)) : null;
        MaxPrefixWarning = false;
        _refreshed.Clear();
        _endOfRib.Clear();
        _complete = false;
        _total = 0;
        _addedInWindow = 0;
        _windowStart = time.GetTimestamp();
        _lastAdded = _windowStart;
    }

    /// <summary>The session is gone.</summary>
    public void Down()
    {
        Parameters = null;
        Connection = null;
        Output = null;
        MaxPrefixWarning = false;
        _complete = false;
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

    /// <summary>Paths came that were not there before; <paramref name="total"/> is what the peer has now.</summary>
    public void Grew(int paths, int total)
    {
        if (!_complete)
        {
            _ = IsComplete();
            _total = total;
            _addedInWindow += paths;
            _lastAdded = time.GetTimestamp();
        }
    }

    /// <summary>End-of-RIB came.</summary>
    public void EndOfRib(IpFamily family) => _endOfRib.Add(family);

    /// <summary>True from the moment the initial table is there until the session ends.</summary>
    public bool IsComplete()
    {
        if (Parameters is null || _complete)
        {
            return _complete;
        }

        if (AllEnded())
        {
            _complete = true;
            return true;
        }

        long now = time.GetTimestamp();
        if (_total == 0 || time.GetElapsedTime(_windowStart, now) < _quietTime)
        {
            return false;
        }

        _complete = time.GetElapsedTime(_lastAdded, now) >= _quietTime || _addedInWindow < _total / SettledShare;
        _windowStart = now;
        _addedInWindow = 0;
        return _complete;
    }

    private bool AllEnded()
    {
        foreach (IpFamily family in Parameters!.Families)
        {
            if (!_endOfRib.Contains(family))
            {
                return false;
            }
        }

        return true;
    }
}
