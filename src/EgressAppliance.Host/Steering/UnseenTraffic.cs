using EgressAppliance.Decision.Demand;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// For each link, what its interface counter shows beyond the mirror. Each poll of the counter is compared with what the mirror showed since the poll before; the
/// two intervals differ by up to a cycle at either end, which is why <see cref="UnseenMeter"/> goes by the least of several.
/// </summary>
/// <param name="links">The links.</param>
/// <param name="beliefs">Gets each comparison, too.</param>
/// <param name="time">The clock of the timestamps.</param>
internal sealed class UnseenTraffic(IReadOnlyList<LinkConfig> links, RateBeliefs beliefs, TimeProvider time)
{
    private readonly UnseenMeter[] _meters = [.. links.Select(_ => new UnseenMeter())];
    private readonly long[] _bytes = new long[links.Count];
    private readonly long[] _packets = new long[links.Count];
    private readonly (DateTimeOffset? Poll, long Timestamp)[] _polls = new (DateTimeOffset?, long)[links.Count];
    private readonly CounterPast[] _past = [.. links.Select(_ => new CounterPast())];
    private readonly bool[] _gaps = new bool[links.Count];

    /// <summary>Load of a link beyond the mirror, bit/s; 0 while unknown.</summary>
    public long this[int link] => _meters[link].UnseenBps;

    /// <summary>Adds what the mirror showed on a link, sampling and layer-2 overhead considered.</summary>
    public void Add(int link, long bytes, long packets)
    {
        _bytes[link] += bytes;
        _packets[link] += packets;
    }

    /// <summary>Of a part of the interval under way nothing is known: it is not compared.</summary>
    public void Gap(int link) => _gaps[link] = true;

    /// <summary>Compares where a counter was polled since.</summary>
    /// <param name="interfaces">The links' interfaces, in the same order.</param>
    /// <param name="timestamp">When the mirror's counters were read.</param>
    /// <param name="delayOf">By how much what is compared lags behind: flow export tells of what has been. The counter of that time is taken.</param>
    public void Note(IReadOnlyList<InterfaceState> interfaces, long timestamp, Func<int, TimeSpan> delayOf)
    {
        for (int i = 0; i < _polls.Length; i++)
        {
            (DateTimeOffset? poll, long since) = _polls[i];
            InterfaceState state = interfaces[i];
            if (state.LastPoll == poll || state.LastPoll is null)
            {
                continue;
            }

            _past[i].Add(timestamp, state.OutBps);
            if (poll is not null && !_gaps[i] && Then(i, timestamp, delayOf(i)) is { } counted && time.GetElapsedTime(since, timestamp) is { Ticks: > 0 } elapsed)
            {
                double seconds = elapsed.TotalSeconds;
                double mirror = _bytes[i] * 8 / seconds;
                _meters[i].Compare(counted, mirror, seconds);
                beliefs.Compare(
                    i, new RateComparison(counted, mirror, _packets[i] / seconds, seconds), links[i].CapacityBps ?? state.CapacityBps ?? 0, links[i].OverheadBytes);
            }

            _polls[i] = (state.LastPoll, timestamp);
            _bytes[i] = _packets[i] = 0;
            _gaps[i] = false;
        }
    }

    /// <summary>What a link's counter said so long ago, bit/s, or null.</summary>
    public double? Then(int link, long timestamp, TimeSpan ago) => _past[link].At(timestamp, ago, time);
}
