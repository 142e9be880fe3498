using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;

namespace EgressAppliance.HistoryLoad;

/// <summary>
/// Traffic of a site, minute by minute, the same for the same number: links with the curve of a day and noise, prefixes with rates after Zipf, nine of ten of them always the same and the rest
/// drawn from twenty times as many. Native loads exceed the threshold in the evening; the loads themselves do not.
/// </summary>
public sealed class SampleTraffic(int links, int prefixes)
{
    private const long CapacityBps = 100_000_000_000;
    private const long ThresholdBps = 95_000_000_000;
    private readonly string[] _names = [.. Enumerable.Range(1, links).Select(i => $"isp-{i:D2}")];
    private readonly IpPrefix[] _pool = [.. Enumerable.Range(0, Math.Max(1, prefixes * 20)).Select(i => IpPrefix.Create(IpAddr.FromIPv4(0x0b000000u + ((uint)i << 8)), 24))];

    /// <summary>The links' names.</summary>
    public IReadOnlyList<string> Links => _names;

    /// <summary>What a minute shows.</summary>
    /// <param name="minute">Its begin.</param>
    public HistoryTick Tick(DateTimeOffset minute)
    {
        Random random = new((int)(minute.ToUnixTimeSeconds() / 60));
        double day = 0.55 - (0.42 * Math.Cos(2 * Math.PI * (minute.TimeOfDay.TotalHours - 3) / 24));
        LinkSample[] samples = new LinkSample[_names.Length];
        for (int i = 0; i < samples.Length; i++)
        {
            double load = CapacityBps * (day + (0.06 * random.NextDouble())) * (0.6 + (0.4 * (i + 1) / samples.Length));
            long native = (long)load;
            long mirror = Math.Min(native, (long)(ThresholdBps * (0.97 + (0.02 * random.NextDouble()))));
            bool over = native > ThresholdBps;
            samples[i] = new LinkSample(
                _names[i], 60, mirror, (long)(mirror * 1.03), (long)(mirror * (1 + (0.002 * random.NextDouble()))), native, mirror, CapacityBps, ThresholdBps, 0, over ? 60 : 0,
                over ? 0 : 3, over ? 12 : 0);
        }

        PrefixSample[] rates = new PrefixSample[prefixes];
        for (int i = 0; i < prefixes; i++)
        {
            // One in ten is another prefix each time; strides keep it from being drawn twice.
            int number = i % 10 == 9 ? prefixes + (((random.Next(18) * prefixes) + i) % (_pool.Length - prefixes)) : i;
            rates[i] = new PrefixSample(_pool[number], _names[number % _names.Length], (long)(40e9 * day / (i + 2) * (0.8 + (0.4 * random.NextDouble()))));
        }

        return new HistoryTick(minute, 60, samples, rates);
    }
}
