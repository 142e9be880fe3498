using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;

namespace EgressAppliance.Host.Pipeline;

/// <summary>How bad a finding is.</summary>
public enum FindingLevel
{
    /// <summary>Nothing is lost; something could be better.</summary>
    Hint,

    /// <summary>Numbers may be wrong.</summary>
    Warning,

    /// <summary>Frames are lost, or none come.</summary>
    Loss,
}

/// <summary>Something about capture that the operator should know.</summary>
/// <param name="Source">The source it is about; empty: all.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Code">What it is, snake_case.</param>
/// <param name="Message">What was seen.</param>
/// <param name="Advice">What to do, with the key to change and its present value.</param>
public sealed record CaptureFinding(string Source, FindingLevel Level, string Code, string Message, string Advice);

/// <summary>
/// Turns two readings of capture's counters into findings: a pure function of its arguments.
/// </summary>
/// <remarks>
/// What the ring's counters mean is the kernel's doing (net/packet/af_packet.c). A ring freezes when a block is to be opened and user space still holds it; it
/// thaws when that block comes back. All frames that arrive between are dropped. So drops with freezes mean bursts or a load that the reading threads do
/// not keep up with; drops without a new freeze mean that the ring was frozen all the time: the thread that reads it does
/// not run. A freeze without drops passed before the next frame came: the ring was used to its end.
/// </remarks>
public static class CaptureAdvice
{
    private const double OneWorkerShare = 0.95;
    private const double NotIpShare = 0.5;
    private const double IgnoredShare = 0.95;
    private const double UnattributedShare = 0.1;
    private const double UnroutedShare = 0.1;
    private const double UndecodableShare = 0.001;

    /// <summary>Fewer frames say nothing about shares.</summary>
    private const long EnoughFrames = 1000;

    /// <summary>Everything there is to say, the worst first.</summary>
    /// <param name="config">What is configured, for the keys and their values.</param>
    /// <param name="before">The counters at the interval's begin.</param>
    /// <param name="now">The counters at its end.</param>
    /// <param name="interval">The time between.</param>
    public static IReadOnlyList<CaptureFinding> Find(CaptureConfig config, CaptureReading before, CaptureReading now, TimeSpan interval)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(now);
        List<CaptureFinding> findings = [];
        foreach (string name in now.Statistics.Sources.Keys.Order(StringComparer.Ordinal))
        {
            new SourceAdvice(config, name, before, now, interval, findings).Find();
        }

        FindCommon(config, before, now, findings);
        FlowAdvice.Find(before.Flow, now.Flow, interval, findings);
        return [.. findings.OrderByDescending(f => f.Level)];
    }

    private static void FindCommon(CaptureConfig config, CaptureReading before, CaptureReading now, List<CaptureFinding> findings)
    {
        long packets = now.Statistics.Packets - before.Statistics.Packets;
        long unattributed = now.UnattributedPackets - before.UnattributedPackets;
        long unrouted = now.Statistics.UnroutedPackets - before.Statistics.UnroutedPackets;
        if (packets >= EnoughFrames && unattributed > UnattributedShare * packets)
        {
            bool bare = config.Decapsulate.Contains(MirrorTunnel.IpInIp) || config.Decapsulate.Contains(MirrorTunnel.Gre);
            findings.Add(new("", FindingLevel.Warning, "no_link_match", $"{Share(unattributed, packets)} of the packets match no link",
                "compare links[].match with the mirror's frames: destination MAC and VLAN as `tcpdump -e -n` shows them"
                + (config.Decapsulate.Count == 0 ? "; if the mirror arrives in a tunnel, name it in capture.decapsulate ([])" : "")
                + (bare ? "; packets from tunnels that hold bare IP match by source only" : "")));
        }

        if (packets >= EnoughFrames && unrouted > UnroutedShare * packets)
        {
            findings.Add(new("", FindingLevel.Warning, "unrouted", $"{Share(unrouted, packets)} of the packets have no prefix in the table",
                "check that the routers send their whole table (`show bgp`), and that the mirror shows egress traffic only: what comes in goes to your own addresses (capture.ignore_macs)"));
        }

        if (now.HugePages.Setting == "never")
        {
            findings.Add(new("", FindingLevel.Hint, "huge_pages_off", "the kernel gives no huge pages to lookup tables and counters, which costs a third or more of the lookup speed",
                $"echo madvise > {HugePagesReading.SettingFile}, and restart the appliance"));
        }
    }

    internal static string Share(long part, long whole) => Human.Percent((double)part / Math.Max(whole, 1));

    /// <summary>The findings of one source.</summary>
    private sealed class SourceAdvice
    {
        private readonly CaptureConfig _config;
        private readonly CaptureSourceConfig? _source;
        private readonly string _name;
        private readonly string _key;
        private readonly string _span;
        private readonly bool _anyTime;
        private readonly SourceStatistics _total;
        private readonly SourceCounts _gain;
        private readonly long[] _workers;
        private readonly InterfaceReading? _nic;
        private readonly string _mostUndecodable;
        private readonly List<CaptureFinding> _findings;

        public SourceAdvice(CaptureConfig config, string name, CaptureReading before, CaptureReading now, TimeSpan interval, List<CaptureFinding> findings)
        {
            int index = config.Sources.ToList().FindIndex(s => s.Interface == name || s.File == name);
            _config = config;
            _source = index < 0 ? null : config.Sources[index];
            _name = name;
            _key = $"capture.sources[{(index < 0 ? "" : index)}]";
            _span = $"in the last {interval.TotalSeconds:0} s";
            _anyTime = interval > TimeSpan.Zero;
            _total = now.Statistics.Sources[name];
            _gain = SourceCounts.Between(before, now, name);
            _nic = now.Interfaces.GetValueOrDefault(name);
            _findings = findings;

            ReaderStatistics[] were = [.. before.Statistics.Readers.Where(r => r.Source == name)];
            ReaderStatistics[] are = [.. now.Statistics.Readers.Where(r => r.Source == name)];
            _workers = [.. are.Select((r, i) => r.Received.ReceivedFrames - (i < were.Length ? were[i].Received.ReceivedFrames : 0))];
            _mostUndecodable = are.SelectMany(r => r.Undecodable).GroupBy(u => u.Key, u => u.Value)
                .OrderByDescending(g => g.Sum()).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => g.Key).FirstOrDefault("");
        }

        public void Find()
        {
            FindState();
            FindRing();
            FindNic();
            FindWorkers();
            FindDecoding();
        }

        private void FindState()
        {
            switch (CaptureState.Of(_total, _gain, _nic, _anyTime))
            {
                case CaptureState.Absent:
                    Add(FindingLevel.Loss, "absent", $"there is no interface {_name}", $"compare {_key}.interface ({_name}) with `ip link`; capture begins by itself when it is there");
                    break;
                case CaptureState.InterfaceDown:
                    Add(FindingLevel.Loss, "interface_down", $"{_name} is down", $"ip link set {_name} up; capture goes on by itself");
                    break;
                case CaptureState.NoCarrier:
                    Add(FindingLevel.Loss, "no_carrier", $"{_name} is up and has no carrier", "check the cable, the transceiver and the port at its other end");
                    break;
                case CaptureState.Unavailable:
                    Add(FindingLevel.Loss, "unavailable", _total.Message ?? "the source delivers nothing", $"`egress-appliance check --setup` tries what {_key} needs");
                    break;
                case CaptureState.Silent when _anyTime && _source?.Backend != CaptureBackend.PcapFile:
                    Add(FindingLevel.Warning, "silent", $"no frame came {_span}", "check the mirror session on the switch"
                        + (_source is { Filter.Length: > 0 } ? $"; {_key}.filter (\"{_source.Filter}\") may keep everything out" : "")
                        + (_source is { Promiscuous: false } ? $"; {_key}.promiscuous (false) keeps out frames for other MACs" : ""));
                    break;
                default:
                    break;
            }
        }

        private void FindRing()
        {
            string ring = _source is null ? "" : Units.FormatSize(_source.RingBytes);
            string workers = _source is null ? "" : $"{_source.Workers}";
            string cpus = _source is null or { Cpus.Count: 0 } ? $"pin cpus ([])" : $"check that nothing else runs on cpus ([{string.Join(", ", _source.Cpus)}])";
            if (_gain is { Dropped: > 0, Freezes: > 0 })
            {
                Add(FindingLevel.Loss, "ring_full", $"the kernel dropped {Frames(_gain.Dropped)} {_span}: the ring was full {Human.Count(_gain.Freezes)} times",
                    $"for bursts raise {_key}.ring ({ring}); if it goes on, raise workers ({workers}) or {cpus}");
            }
            else if (_gain.Dropped > 0)
            {
                Add(FindingLevel.Loss, "reader_stalled", $"the kernel dropped {Frames(_gain.Dropped)} {_span}, the ring being full all the time: its reading thread hardly runs",
                    $"look for what takes the CPU (`top -H`); {cpus} of {_key}, or raise workers ({workers})");
            }
            else if (_gain.Freezes > 0)
            {
                Add(FindingLevel.Hint, "ring_nearly_full", $"the ring was used to its end {Human.Count(_gain.Freezes)} times {_span}; nothing was lost", $"raise {_key}.ring ({ring})");
            }

            if (_gain.PoolExhausted > 0)
            {
                Add(FindingLevel.Loss, "pool_exhausted", $"{Frames(_gain.PoolExhausted)} were given up {_span}: counting does not keep up with reading",
                    $"give the appliance more CPU time: raise {_key}.workers ({workers}) up to the number of cores, or {cpus}");
            }
        }

        private void FindNic()
        {
            if (_gain.NicMissed > 0)
            {
                Add(FindingLevel.Loss, "nic_missed", $"the NIC dropped {Frames(_gain.NicMissed)} {_span}, before the kernel had them",
                    $"longer queues (`ethtool -g {_name}`, `ethtool -G {_name} rx N`), more of them (`ethtool -L {_name} combined N`), each queue's interrupt on a CPU of its own");
            }

            if (_gain.NicDropped > 0)
            {
                Add(FindingLevel.Warning, "interface_dropped", $"rx_dropped of {_name} grew by {Human.Count(_gain.NicDropped)} {_span}",
                    "the driver or the kernel's input queue dropped frames (raise net.core.netdev_max_backlog), or they are frames that only capture takes (LLDP, unknown VLANs), of which none is lost");
            }

            if (_gain.LongFrames > 0 && _nic is { MergesSegments: not false })
            {
                Add(FindingLevel.Warning, "merged_segments", $"frames of up to {Human.Count(_total.LongestFrame)} bytes came: received segments are merged, and so packets undercounted",
                    $"ethtool -K {_name} gro off lro off");
            }
        }

        private void FindWorkers()
        {
            long frames = _workers.Sum();
            if (_workers.Length < 2 || frames < EnoughFrames || _source is null or { Fanout: FanoutMode.Rollover } || _workers.Max() < OneWorkerShare * frames)
            {
                return;
            }

            string share = Share(_workers.Max(), frames);
            (string message, string advice) = _source.Fanout switch
            {
                FanoutMode.Hash => ($"one of {_workers.Length} workers gets {share} of the frames: the hash sees one flow, as of a mirror in a tunnel", $"set {_key}.fanout (hash) to lb"),
                FanoutMode.Cpu => ($"one of {_workers.Length} workers gets {share} of the frames: one CPU receives them all",
                    $"spread the NIC's queues over the CPUs (`ethtool -L {_name} combined {_workers.Length}`), or set {_key}.fanout (cpu) to lb"),
                _ => ($"one of {_workers.Length} workers gets {share} of the frames", $"restart the appliance; if it stays so, lower {_key}.workers ({_source.Workers})"),
            };
            Add(FindingLevel.Warning, "one_worker", message, advice);
        }

        private void FindDecoding()
        {
            if (_gain.Frames < EnoughFrames)
            {
                return;
            }

            if (_gain.NonIp > NotIpShare * _gain.Frames)
            {
                Add(FindingLevel.Warning, "not_ip", $"{Share(_gain.NonIp, _gain.Frames)} of the frames are not IP", "check what the switch mirrors to this port (`tcpdump -e -n`)");
            }

            if (_gain.Ignored > IgnoredShare * _gain.Frames)
            {
                Add(FindingLevel.Warning, "mostly_ignored", $"{Share(_gain.Ignored, _gain.Frames)} of the frames are to ignored MACs",
                    $"check capture.ignore_macs ([{string.Join(", ", _config.IgnoreMacs)}]), and that egress is mirrored");
            }

            if (_gain.Truncated > UndecodableShare * _gain.Frames)
            {
                Add(FindingLevel.Warning, "truncated", $"{Share(_gain.Truncated, _gain.Frames)} of the frames end within their headers",
                    _source is null ? "keep more bytes of each frame" : $"raise {_key}.snaplen ({_source.Snaplen}); if that changes nothing, the switch cuts the frames");
            }

            if (_gain.Undecodable - _gain.Truncated > UndecodableShare * _gain.Frames)
            {
                Add(FindingLevel.Warning, "undecodable", $"{Share(_gain.Undecodable - _gain.Truncated, _gain.Frames)} of the frames cannot be decoded, most for {_mostUndecodable}",
                    "docs/capture.md lists the reasons");
            }
        }

        private string Frames(long frames) => $"{Human.Count(frames)} frames ({Share(frames, _gain.Frames + _gain.Dropped + _gain.NicMissed)})";

        private void Add(FindingLevel level, string code, string message, string advice) => _findings.Add(new(_name, level, code, message, advice));
    }
}
