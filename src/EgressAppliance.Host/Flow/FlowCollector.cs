using System.Collections.Frozen;
using System.Text.Json;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Flow;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Flow;

/// <summary>
/// Turns the datagrams of flow exporters into counters by prefix and link: decodes, finds link and prefix, scales by the sampling interval, and pays out over the duration
/// (<see cref="FlowPayout"/>). Has no sockets and no thread. May be called from any thread.
/// </summary>
/// <remarks>
/// Each exporter has a decoder of its own, so that none can fill another's bounds; datagrams from other addresses never reach a decoder. What is not egress by a link is
/// dropped with a reason rather than counted without a link: flow export tells of traffic to customers and inside as well, which a mirror of provider ports does not show.
/// </remarks>
public sealed class FlowCollector
{
    /// <summary>Addresses without an exporter that are remembered.</summary>
    private const int MaxUnknown = 8;

    /// <summary>So many datagrams are asked for their address, and then one in so many.</summary>
    private const int UnknownNoted = 1000;

    /// <summary>A hundred links of 400 Gbit/s for ten minutes are 3e15.</summary>
    private const double MostBytes = 1e16;

    private static readonly string[] DiscardNames = [.. Enum.GetNames<FlowDiscard>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private readonly FlowConfig _config;
    private readonly Func<IReadOnlyList<InterfaceState>> _interfaces;
    private readonly TimeProvider _time;
    private readonly FrozenDictionary<IpAddr, Exporter> _exporters;
    private readonly IReadOnlyList<LinkConfig> _configured;
    private readonly FlowLinks _links;
    private readonly FlowPayout _payout;
    private readonly List<FlowRecord> _records = [];
    private readonly HashSet<IpAddr> _unknown = [];
    private readonly Lock _gate = new();
    private readonly long _longest;
    private readonly long _start;
    private long _unknownExporter;

    /// <summary>Ready to receive.</summary>
    /// <param name="config">The configuration, which has a flow section.</param>
    /// <param name="table">The prefixes.</param>
    /// <param name="interfaces">Gives the links' interfaces in order of configuration.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">There is no flow section.</exception>
    public FlowCollector(ApplianceConfig config, PrefixTable table, Func<IReadOnlyList<InterfaceState>> interfaces, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(time);
        _config = config.Flow ?? throw new ArgumentException("There is no flow section.", nameof(config));
        _interfaces = interfaces;
        _time = time;
        _exporters = _config.Exporters.ToFrozenDictionary(e => e.Address, e => new Exporter(e));
        _configured = config.Links;
        _links = new FlowLinks(config);
        _payout = new FlowPayout(table, _config.ActiveTimeout);
        _longest = (long)_config.ActiveTimeout.TotalMilliseconds;
        _start = time.GetTimestamp();
    }

    /// <summary>Takes one datagram.</summary>
    /// <param name="from">The address that sent it.</param>
    /// <param name="port">The port that sent it.</param>
    /// <param name="datagram">UDP payload.</param>
    public void Receive(IpAddr from, ushort port, ReadOnlySpan<byte> datagram)
    {
        if (!_exporters.TryGetValue(from, out Exporter? exporter))
        {
            // Of a flood, some are looked at more closely; the number is all that the others cost.
            long number = Interlocked.Increment(ref _unknownExporter);
            if (number <= UnknownNoted || number % UnknownNoted == 0)
            {
                NoteUnknown(from);
            }

            return;
        }

        lock (_gate)
        {
            long now = Milliseconds(_time.GetTimestamp());
            exporter.Bytes += datagram.Length;
            exporter.LastHeard = _time.GetUtcNow();
            _records.Clear();
            exporter.Decoder.Decode(from, datagram, now, _records, port);
            foreach (FlowRecord record in _records)
            {
                Count(exporter, record, now);
            }
        }
    }

    /// <summary>What is due since the previous call. To be called before <see cref="PrefixTable.Tick"/>, each time.</summary>
    /// <param name="timestamp">Now, <see cref="TimeProvider.GetTimestamp"/>.</param>
    public IReadOnlyList<CounterCell> Take(long timestamp)
    {
        IReadOnlyList<InterfaceState> interfaces = _interfaces();
        lock (_gate)
        {
            _links.Update(interfaces);
            foreach (Exporter exporter in _exporters.Values)
            {
                exporter.EndPeriod();
            }

            return _payout.Take(Milliseconds(timestamp));
        }
    }

    /// <summary>The counters, those of sockets aside.</summary>
    public FlowReading Read()
    {
        lock (_gate)
        {
            return new FlowReading
            {
                Exporters = [.. _config.Exporters.Select(e => _exporters[e.Address].Read())],
                Links =
                [
                    .. Enumerable.Range(0, _configured.Count).Where(i => _links.AttributionOf(i) is not null)
                        .Select(i => (_configured[i].Name, _links.IndexOf(i), _links.AttributionOf(i)!.Value)),
                ],
                UnknownExporter = Interlocked.Read(ref _unknownExporter),
                Unknown = [.. _unknown.Order()],
                Cells = _payout.Cells,
                Unspread = _payout.Unspread,
                ActiveTimeout = _config.ActiveTimeout,
            };
        }
    }

    private void NoteUnknown(IpAddr from)
    {
        lock (_gate)
        {
            if (_unknown.Count < MaxUnknown)
            {
                _unknown.Add(from);
            }
        }
    }

    private void Count(Exporter exporter, in FlowRecord record, long now)
    {
        bool told = record.SamplingInterval != 0;
        uint interval = told ? record.SamplingInterval : (uint)exporter.Config.Sampling;
        (exporter.Sampling, exporter.SamplingTold) = (interval, told);
        double bytes = (double)record.Bytes * interval;
        double packets = (double)record.Packets * interval;
        LinkId link = LinkId.None;
        FlowDiscard discard = record.Bytes == 0 ? FlowDiscard.Empty
            : !(bytes <= MostBytes) || !(packets <= bytes) ? FlowDiscard.Implausible
            : _links.Find(exporter.Config.Router, record, out link);
        if (discard != FlowDiscard.None)
        {
            exporter.Discarded[(int)discard]++;
            exporter.OtherInterface = discard == FlowDiscard.OtherInterface ? record.OutputInterface : exporter.OtherInterface;
            return;
        }

        long duration = 0;
        if (record.Protocol != FlowProtocol.SFlow5)
        {
            // Without times, nobody knows: slow is safer than a spike. Clocks that contradict themselves stand for no time.
            bool timed = record is { StartMilliseconds: not null, EndMilliseconds: not null };
            duration = timed ? Math.Max(0, record.EndMilliseconds!.Value - record.StartMilliseconds!.Value) : _longest;
            exporter.Untimed += timed ? 0 : 1;
            exporter.TooLong += duration > _longest ? 1 : 0;
            duration = Math.Min(duration, _longest);
        }

        exporter.Counted++;
        exporter.Unrouted += _payout.Add(record.Destination, link, bytes, packets, record.Packets, duration, now) ? 0 : 1;
        exporter.PeriodBytes += bytes;
        exporter.PeriodDelay += bytes * duration;
    }

    private long Milliseconds(long timestamp) => (long)_time.GetElapsedTime(_start, timestamp).TotalMilliseconds;

    /// <summary>What is remembered of one exporter.</summary>
    private sealed class Exporter(FlowExporterConfig config)
    {
        // Of one exporter: a router has a handful of domains.
        private static readonly FlowDecoderOptions Bounds = new() { MaxTemplates = 1024, MaxSamplers = 1024, MaxSequences = 1024 };

        public FlowExporterConfig Config => config;

        public FlowDecoder Decoder { get; } = new(Bounds);

        public long Bytes { get; set; }

        public long Counted { get; set; }

        public long Unrouted { get; set; }

        public long Untimed { get; set; }

        public long TooLong { get; set; }

        public long[] Discarded { get; } = new long[DiscardNames.Length];

        public uint Sampling { get; set; }

        public bool SamplingTold { get; set; }

        public uint OtherInterface { get; set; }

        public DateTimeOffset? LastHeard { get; set; }

        public double PeriodBytes { get; set; }

        public double PeriodDelay { get; set; }

        private double? Delay { get; set; }

        /// <summary>Follows the average duration from period to period.</summary>
        public void EndPeriod()
        {
            if (PeriodBytes > 0)
            {
                double latest = PeriodDelay / PeriodBytes;
                Delay = Delay is { } before ? (before + latest) / 2 : latest;
            }

            PeriodBytes = PeriodDelay = 0;
        }

        public ExporterReading Read()
        {
            FlowStatistics statistics = Decoder.Statistics;
            (long received, long lost) = Decoder.Units;
            return new ExporterReading
            {
                Address = config.Address,
                Router = config.Router,
                Protocol = Decoder.Protocol,
                Datagrams = statistics.Datagrams,
                Bytes = Bytes,
                Records = statistics.Records,
                Counted = Counted,
                Unrouted = Unrouted,
                Templates = Decoder.TemplateCount,
                Refused = Enum.GetValues<FlowStatus>().Where(s => s != FlowStatus.Decoded && statistics.Count(s) > 0).ToDictionary(s => s.ToReason(), statistics.Count),
                Discarded = Enumerable.Range(1, Discarded.Length - 1).Where(i => Discarded[i] > 0).ToDictionary(i => DiscardNames[i], i => Discarded[i]),
                Untimed = Untimed,
                TooLong = TooLong,
                Received = received,
                Lost = lost,
                Sampling = Sampling,
                SamplingTold = SamplingTold,
                Delay = TimeSpan.FromMilliseconds(Delay ?? 0),
                LastHeard = LastHeard,
                OtherInterface = OtherInterface,
            };
        }
    }
}
