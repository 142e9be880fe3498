using System.Buffers;
using System.Collections.Immutable;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;

namespace EgressAppliance.Simulator.Peering;

/// <summary>
/// What one session has yet to send. Changes are gathered by path, the latest wins, so that memory is bounded by the table however slow the peer is, and
/// are packed into UPDATEs by equal attributes when the session takes them.
/// </summary>
/// <remarks>
/// With ADD-PATH every provider path is sent under its identifier. Without it only the best path is, and a prefix whose best path is an override is
/// withdrawn: a route learned by iBGP is not sent back to iBGP (RFC 4271 section 9.2).
/// </remarks>
internal sealed class PathOutbox : IPathObserver, IDisposable
{
    private const int ChunkOctets = 1 << 18;

    private readonly SimulatedRouter _router;
    private readonly BgpCodecOptions _options;
    private readonly HashSet<IpFamily> _families;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly HashSet<IpPrefix> _announcedBest = [];
    private Dictionary<Nlri, SimulatedRoute?> _pending = [];

    public PathOutbox(SimulatedRouter router, BgpCodecOptions options, IEnumerable<IpFamily> families)
    {
        (_router, _options, _families) = (router, options, [.. families]);
        SendAgain();
    }

    /// <summary>Puts the whole table into the outbox, at the start and when the peer asks (RFC 2918).</summary>
    public void SendAgain()
    {
        _router.Unobserve(this);
        _router.Observe(this);
    }

    /// <inheritdoc/>
    public void PathChanged(in PathChange change)
    {
        if (_families.Contains(change.Prefix.Family) && _options.AddPath(change.Prefix.Family))
        {
            Add(new(change.Prefix, change.PathId), change.Route);
        }
    }

    /// <inheritdoc/>
    public void BestChanged(IpPrefix prefix)
    {
        if (_families.Contains(prefix.Family) && !_options.AddPath(prefix.Family))
        {
            Add(new(prefix), null); // what is best is looked up when it is sent
        }
    }

    /// <summary>Waits for something to send. False: nothing came for so long.</summary>
    public async Task<bool> WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancel)
    {
        using CancellationTokenSource late = new(timeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            await _wake.WaitAsync(both.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Takes everything as UPDATEs: withdrawals first.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Take()
    {
        Dictionary<Nlri, SimulatedRoute?> changes;
        lock (_gate)
        {
            (changes, _pending) = (_pending, []);
        }

        ArrayBufferWriter<byte> output = new();
        foreach (IpFamily family in _families)
        {
            List<Nlri> gone = [];
            Dictionary<PathAttributes, List<Nlri>> groups = [];
            foreach ((Nlri nlri, SimulatedRoute? changed) in changes.Where(c => c.Key.Prefix.Family == family))
            {
                SimulatedRoute? route = _options.AddPath(family) ? changed : BestToSend(nlri.Prefix);
                if (route is not null)
                {
                    PathAttributes attributes = Attributes(route);
                    (groups.TryGetValue(attributes, out List<Nlri>? group) ? group : groups[attributes] = []).Add(nlri);
                }
                else if (_options.AddPath(family) || _announcedBest.Remove(nlri.Prefix))
                {
                    gone.Add(nlri);
                }
            }

            UpdateEncoder.Withdraw(family, gone.ToArray(), _options, output);
            foreach ((PathAttributes attributes, List<Nlri> group) in groups)
            {
                if (UpdateEncoder.Announce(family, attributes, group.ToArray(), _options, output) < 0)
                {
                    throw new InvalidOperationException($"The attributes of {group[0]} do not fit an UPDATE.");
                }

                if (output.WrittenCount >= ChunkOctets)
                {
                    yield return output.WrittenMemory;
                    output = new();
                }
            }
        }

        yield return output.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _router.Unobserve(this);
        _wake.Dispose();
    }

    private SimulatedRoute? BestToSend(IpPrefix prefix)
    {
        SimulatedRoute? best = _router.BestOf(prefix).Route;
        if (best is null || !best.IsExternal)
        {
            return null;
        }

        _announcedBest.Add(prefix);
        return best;
    }

    private void Add(Nlri nlri, SimulatedRoute? route)
    {
        lock (_gate)
        {
            _pending[nlri] = route;
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    private static PathAttributes Attributes(SimulatedRoute route) => new()
    {
        Origin = route.Origin,
        NextHop = new NextHop(route.NextHop),
        Med = route.Med,
        LocalPref = route.LocalPref,
        AsPath = AsPath.Sequence(route.AsPath.ToArray()),
        Communities = [.. route.Communities],
    };
}
