using EgressAppliance.Decision.Demand;
using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// For each link, what its interface counter shows beyond the mirror. Each poll of the counter is compared with what the mirror showed since the poll before; the
/// two intervals differ by up to a cycle at either end, which is why <see cref="UnseenMeter"/> goes by the least of several.
/// </summary>
/// <param name="links">Number of links.</param>
/// <param name="time">The clock of the timestamps.</param>
internal sealed class UnseenTraffic(int links, TimeProvider time)
{
    private readonly UnseenMeter[] _meters = [.. Enumerable.Range(0, links).Select(_ => new UnseenMeter())];
    private readonly long[] _bytes = new long[links];
    private readonly (DateTimeOffset? Poll, long Timestamp)[] _polls = new (DateTimeOffset?, long)[links];

    /// <summary>Load of a link beyond the mirror, bit/s; 0 while unknown.</summary>
    public long this[int link] => _meters[link].UnseenBps;

    /// <summary>Adds bytes that the mirror showed on a link, sampling and layer-2 overhead considered.</summary>
    public void Add(int link, long bytes) => _bytes[link] += bytes;

    /// <summary>Compares where a counter was polled since.</summary>
    /// <param name="interfaces">The links' interfaces, in the same order.</param>
    /// <param name="timestamp">When the mirror's counters were read.</param>
    public void Note(IReadOnlyList<InterfaceState> interfaces, long timestamp)
    {
        for (int i = 0; i < _polls.Length; i++)
        {
            (DateTimeOffset? poll, long since) = _polls[i];
            InterfaceState state = interfaces[i];
            if (state.LastPoll == poll || state.LastPoll is null)
            {
                continue;
            }

            if (poll is not null && state.OutBps is { } counted && time.GetElapsedTime(since, timestamp) is { Ticks: > 0 } elapsed)
            {
                _meters[i].Compare((long)counted, (long)(_bytes[i] * 8 / elapsed.TotalSeconds));
            }

            _polls[i] = (state.LastPoll, timestamp);
            _bytes[i] = 0;
        }
    }
}
