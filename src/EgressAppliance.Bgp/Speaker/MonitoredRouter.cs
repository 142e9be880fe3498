using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>One Adj-RIB-In that BMP shows, and the source that it is in the table of paths.</summary>
/// <param name="shown">What the station calls it.</param>
/// <param name="peer">Index of the router.</param>
/// <param name="source">Its number in the table of paths.</param>
/// <param name="intake">Takes its changes.</param>
/// <param name="load">How far it has come.</param>
internal sealed class MonitoredSource(BmpSource shown, int peer, int source, RouteIntake intake, TableLoad load)
{
    public BmpSource Shown { get; } = shown;

    public int Peer { get; } = peer;

    public int Source { get; } = source;

    public RouteIntake Intake { get; } = intake;

    public TableLoad Load { get; } = load;
}

/// <summary>What the speaker keeps of a router's BMP connection besides its paths. Guarded by the speaker's lock.</summary>
internal sealed class MonitoredRouter
{
    private readonly HashSet<BmpPeerId> _up = [];
    private readonly HashSet<BmpPeerId> _distrusted = [];
    private long _lastEvent;
    private bool _complete;

    /// <summary>The tables that are up.</summary>
    public List<MonitoredSource> Sources { get; } = [];

    /// <summary>Its own choices, or null if it shows none.</summary>
    public LocRib? LocRib { get; set; }

    /// <summary>A route was shown on this connection: there is something to choose from.</summary>
    public bool Serves { get; private set; }

    /// <summary>
    /// The table that counts. Routes after policy are what the router would use; once it has shown one, those before policy never count again on this connection: to use
    /// them would be to undo what its policy rejects. Not by peer, since a peer of which policy leaves nothing shows no route after it.
    /// </summary>
    public BmpTable Table { get; private set; } = BmpTable.AdjRibInPrePolicy;

    /// <summary>No table was given up because a message could not be read, or its peer has come up anew since.</summary>
    public bool Trusted => _distrusted.Count == 0;

    /// <summary>The connection is up, or has gone: nothing is known.</summary>
    public void Reset()
    {
        _up.Clear();
        _distrusted.Clear();
        Serves = false;
        Table = BmpTable.AdjRibInPrePolicy;
        _complete = false;
    }

    /// <summary>A peer whose routes count is up.</summary>
    public void PeerUp(BmpPeerId peer, long now)
    {
        _up.Add(peer);
        _lastEvent = now;
    }

    /// <summary>A peer is down; nothing of it is missed any more.</summary>
    public void PeerDown(BmpPeerId peer)
    {
        _up.Remove(peer);
        _distrusted.Remove(peer);
    }

    /// <summary>A table is up.</summary>
    public void Add(MonitoredSource source, long now)
    {
        Sources.Add(source);
        _lastEvent = now;
    }

    /// <summary>A table is gone. If its peer goes down too, it will be told next; until then its routes are missed.</summary>
    public void Remove(MonitoredSource source)
    {
        Sources.Remove(source);
        if (source.Shown.Table == Table)
        {
            _distrusted.Add(source.Shown.Peer.Id);
        }
    }

    /// <summary>A route of a table came. True if that changes which paths count.</summary>
    public bool NoteRoutes(BmpTable table)
    {
        bool changes = !Serves || (table == BmpTable.AdjRibInPostPolicy && Table != table);
        Serves = true;
        Table = table == BmpTable.AdjRibInPostPolicy ? table : Table;
        return changes;
    }

    /// <summary>
    /// True from the moment that the tables that count are there until the connection ends: those of peers that come later are news, not a load. Peers show themselves
    /// one by one, so either each that is up has a table, or no more have come for the quiet time.
    /// </summary>
    public bool IsComplete(TimeProvider time, TimeSpan quietTime)
    {
        if (!Serves || _complete)
        {
            return _complete;
        }

        int tables = 0;
        foreach (MonitoredSource source in Sources)
        {
            if (source.Shown.Table == Table)
            {
                tables++;
                if (!source.Load.IsComplete())
                {
                    return false;
                }
            }
        }

        _complete = tables >= _up.Count || time.GetElapsedTime(_lastEvent) >= quietTime;
        return _complete;
    }
}
