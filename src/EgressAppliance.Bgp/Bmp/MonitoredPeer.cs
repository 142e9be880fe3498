using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>One table of a monitored peer.</summary>
internal sealed class MonitoredTable
{
    public BmpSource? Source { get; set; }

    public long Routes { get; set; }

    public long Updates { get; set; }

    /// <summary>There was an announcement among them.</summary>
    public bool Announced { get; set; }

    public List<IpFamily> EndOfRib { get; } = [];

    public string? Fault { get; set; }
}

/// <summary>A peer of which the router has told on this connection, up or down. Guarded by the router's lock.</summary>
internal sealed class MonitoredPeer(BmpPeer peer, BmpPeerCodec codec, byte[] session, DateTimeOffset since)
{
    public const int TableCount = (int)BmpTable.AdjRibOutPostPolicy + 1;
    private const int MaxStatistics = 64;
    private readonly Dictionary<(ushort, AfiSafi?), BmpStatistic> _statistics = [];

    public BmpPeer Peer { get; } = peer;

    public BmpPeerCodec Codec { get; } = codec;

    /// <summary>A hash of addresses, ports and OPENs of its Peer Up, which may have 128 KiB; empty if there was none.</summary>
    public byte[] Session { get; } = session;

    public bool IsUp { get; private set; } = true;

    public DateTimeOffset Since { get; private set; } = since;

    public string? DownReason { get; private set; }

    public MonitoredTable?[] Tables { get; } = new MonitoredTable?[TableCount];

    public long UpdateErrors { get; set; }

    public MonitoredTable Table(BmpTable table) => Tables[(int)table] ??= new();

    public void MarkDown(string reason, DateTimeOffset now)
    {
        IsUp = false;
        Since = now;
        DownReason = reason;
        Array.Clear(Tables);
    }

    public void Keep(BmpStatistics report)
    {
        foreach (BmpStatistic item in report.Items)
        {
            // Types are the router's choice; a sane one knows two dozen.
            if (_statistics.Count < MaxStatistics || _statistics.ContainsKey((item.Type, item.Family)))
            {
                _statistics[(item.Type, item.Family)] = item;
            }
        }
    }

    /// <summary>A route was announced. Withdrawals alone do not count: FRR without soft-reconfiguration shows every change as one.</summary>
    public bool HadRoutes(BmpTable table) => Tables[(int)table] is { Announced: true };

    public BmpPeerStatus ToStatus(string? hint)
    {
        var tables = new List<BmpTableStatus>();
        for (int i = 0; i < TableCount; i++)
        {
            if (Tables[i] is { } table)
            {
                tables.Add(new((BmpTable)i, table.Source?.Handle, table.Routes, table.Updates, [.. table.EndOfRib], table.Fault));
            }
        }

        return new()
        {
            Id = Peer.Id,
            As = Peer.As,
            BgpId = Peer.BgpId,
            TableName = Peer.TableName,
            IsUp = IsUp,
            Since = Since,
            DownReason = DownReason,
            AddPath = Codec.AddPath(Peer.Id.Type == BmpPeerType.LocRibInstance),
            UpdateErrors = UpdateErrors,
            Tables = tables,
            Statistics = [.. _statistics.Values],
            Hint = hint,
        };
    }
}
