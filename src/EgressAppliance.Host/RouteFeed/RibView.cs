using System.IO.Pipelines;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>
/// Shows what the routers' tables hold: the paths of one prefix with the reason of their order, and the whole as an MRT file. Both ask the speaker
/// one prefix at a time, so that no question holds up its sessions.
/// </summary>
public sealed class RibView(IBgpSpeaker speaker, LinkDirectory links, PrefixTable table, ApplianceConfig config, TimeProvider time)
{
    private const int Step = 256;
    private readonly RouterChoices _choices = new(speaker, links, config.Decision.MarkerCommunity);
    private int _writing;

    /// <summary>All paths of a prefix, or of the longest match of an address; null if the text is neither.</summary>
    public RibDto? Query(string query)
    {
        IpPrefix prefix;
        if (IpAddr.TryParse(query, out IpAddr address))
        {
            if (!table.TryLongestMatch(address, out prefix, out _))
            {
                return new RibDto(query, null, []);
            }
        }
        else if (!IpPrefix.TryParse(query, out prefix))
        {
            return null;
        }

        IReadOnlyList<RibPath> paths = speaker.GetPaths(prefix);
        IReadOnlyList<BestPathStep> steps = BestPathExplanation.Explain(paths);
        IReadOnlyList<PeerStatus> peers = speaker.GetPeers();
        return new RibDto(query, paths.Count == 0 ? null : prefix.ToString(), [.. paths.Select((p, i) => Describe(p, steps[i], peers[p.Peer]))])
        {
            RouterChoices = _choices.Describe(prefix, paths, peers),
        };
    }

    /// <summary>
    /// Writes the whole table as MRT TABLE_DUMP_V2, with path identifiers if a router sends them. At most one at a time is written: false, with nothing
    /// written, while another is. The speaker does not keep when a path came; the time of the dump stands in its place, and no peer's BGP identifier is known.
    /// </summary>
    public async Task<bool> WriteMrtAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (Interlocked.Exchange(ref _writing, 1) != 0)
        {
            return false;
        }

        try
        {
            DateTimeOffset now = time.GetUtcNow();
            IReadOnlyList<PeerStatus> status = speaker.GetPeers();
            MrtPeer[] peers = [.. status.Select((s, i) => new MrtPeer(IpAddr.From(s.RemoteAddress), config.Routers[i].Bgp.PeerAs))];
            MrtWriter writer = new(output, now, SpeakerOptions.RouterId(config), config.Site, peers, status.Any(s => s.AllPathsKnown));
            SpeakerWalk walk = new(speaker, table.Entries());
            List<MrtWritePath> paths = [];
            while (walk.Next(Step) is { Count: > 0 } part)
            {
                foreach (RibPrefix item in part)
                {
                    paths.Clear();
                    paths.AddRange(item.Paths.Select(p => new MrtWritePath((ushort)p.Peer, MrtPathId(p), now, p.Attributes)));
                    writer.Write(item.Prefix, paths);
                }

                // The reader's pace is ours: nothing more is made until it took what there is.
                FlushResult flushed = await output.FlushAsync(cancellationToken);
                if (flushed.IsCompleted || flushed.IsCanceled)
                {
                    break;
                }
            }

            return true;
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    /// <summary>What the step is called in documents, or null for the best path.</summary>
    public static string? Code(BestPathStep step) => step switch
    {
        BestPathStep.Best => null,
        BestPathStep.LocalPref => "local_pref",
        BestPathStep.AsPathLength => "as_path_length",
        BestPathStep.Origin => "origin",
        BestPathStep.Med => "med",
        BestPathStep.Reflected => "reflected",
        BestPathStep.ClusterListLength => "cluster_list_length",
        BestPathStep.OriginatorId => "originator_id",
        BestPathStep.NextHop => "next_hop",
        BestPathStep.Peer => "peer",
        BestPathStep.PathId => "path_id",
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Not a step."),
    };

    /// <summary>Paths of one router that BMP shows of several peers have no identifiers that tell them apart; the table's number does.</summary>
    private static uint MrtPathId(RibPath path) =>
        path.Monitored is { } shown ? unchecked(((uint)(shown.Handle + 1) << 20) + path.PathId) : path.PathId;

    private RibPathDto Describe(RibPath path, BestPathStep step, PeerStatus peer)
    {
        PathAttributes attributes = path.Attributes;
        return new RibPathDto(
            peer.Name, peer.RemoteAddress.ToString(), path.PathId, path.NextHop.Address.ToString(), links.Of(path)?.Name, attributes.AsPath.ToString(),
            attributes.LocalPref, attributes.Med, attributes.Origin.ToString().ToLowerInvariant(),
            [.. attributes.Communities.Select(Community.Format)], Code(step))
        {
            Monitored = path.Monitored is { } shown ? $"{shown.Peer.Id} {BmpNames.Of(shown.Table)}" : null,
            ExtendedCommunities = [.. attributes.ExtendedCommunities.Select(c => c.ToString("x16"))],
            LargeCommunities = [.. attributes.LargeCommunities.Select(c => c.ToString())],
            OriginatorId = attributes.OriginatorId is { } originator ? IpAddr.FromIPv4(originator).ToString() : null,
            ClusterList = [.. attributes.ClusterList.Select(c => IpAddr.FromIPv4(c).ToString())],
            AtomicAggregate = attributes.AtomicAggregate,
            Aggregator = attributes.Aggregator is { } aggregator ? $"{aggregator.As} {aggregator.Address}" : null,
        };
    }

    /// <summary>Walks the prefixes of the lookup table, which are those of the speaker, and asks it for each one's paths.</summary>
    private sealed class SpeakerWalk(IBgpSpeaker speaker, IEnumerable<PrefixEntry> entries) : IRibWalk
    {
        private readonly IEnumerator<PrefixEntry> _entries = entries.GetEnumerator();
        private readonly List<RibPrefix> _part = [];

        public IReadOnlyList<RibPrefix> Next(int maximum)
        {
            _part.Clear();
            while (_part.Count < maximum && _entries.MoveNext())
            {
                IpPrefix prefix = _entries.Current.Prefix;
                if (speaker.GetPaths(prefix) is { Count: > 0 } paths)
                {
                    _part.Add(new(prefix, paths));
                }
            }

            return _part;
        }
    }
}
