using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Tests.Pipeline;

/// <summary>Each finding from the counters that call for it, and none from those that do not.</summary>
public sealed class CaptureAdviceTests
{
    private static readonly CaptureConfig Config = new() { Sources = [new CaptureSourceConfig { Interface = "mir0", Workers = 2, Snaplen = 128 }] };

    private static readonly InterfaceReading Nic = new() { Exists = true, Up = true, Carrier = true, HardwareType = 1, Mtu = 1500 };

    [Fact]
    public void Find_steady_capture_has_nothing_to_say() =>
        Assert.Empty(CaptureAdvice.Find(Config, Reading(0), Reading(100_000), CaptureMonitor.Interval));

    [Fact]
    public void Find_drops_with_freezes_is_a_full_ring()
    {
        CaptureFinding finding = FindOne(s => s with { DroppedFrames = 500, Freezes = 3 });
        Assert.Equal(("ring_full", FindingLevel.Loss, "mir0"), (finding.Code, finding.Level, finding.Source));
        Assert.Equal("the kernel dropped 1,000 frames (1.0%) in the last 10 s: the ring was full 6 times", finding.Message);
        Assert.Equal("for bursts raise capture.sources[0].ring (64MiB); if it goes on, raise workers (2) or pin cpus ([])", finding.Advice);
    }

    [Fact]
    public void Find_drops_without_freezes_is_a_thread_that_does_not_run() => Assert.Equal("reader_stalled", FindOne(s => s with { DroppedFrames = 500 }).Code);

    [Fact]
    public void Find_freezes_without_drops_is_a_hint()
    {
        CaptureFinding finding = FindOne(s => s with { Freezes = 1 });
        Assert.Equal(("ring_nearly_full", FindingLevel.Hint), (finding.Code, finding.Level));
    }

    [Fact]
    public void Find_old_losses_are_not_told_again()
    {
        CaptureReading before = Reading(0, s => s with { DroppedFrames = 500, Freezes = 3 });
        CaptureReading now = Reading(100_000, s => s with { DroppedFrames = 500, Freezes = 3 });
        Assert.Empty(CaptureAdvice.Find(Config, before, now, CaptureMonitor.Interval));
    }

    [Fact]
    public void Find_pool_exhausted() => Assert.Equal("pool_exhausted", FindOne(change: r => r with { PoolExhausted = 7 }).Code);

    [Fact]
    public void Find_nic_counters()
    {
        CaptureReading now = Reading(100_000, nic: Nic with { Missed = 5, Dropped = 6 });
        Assert.Equal(["nic_missed", "interface_dropped"], Codes(Reading(0), now));
        Assert.Contains("ethtool -G mir0", CaptureAdvice.Find(Config, Reading(0), now, CaptureMonitor.Interval)[0].Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_interface_made_anew_counts_from_zero() =>
        Assert.Empty(Codes(Reading(0, nic: Nic with { Missed = 1000, Dropped = 1000 }), Reading(100_000)));

    [Theory]
    [InlineData(FanoutMode.Hash, "set capture.sources[0].fanout (hash) to lb")]
    [InlineData(FanoutMode.Cpu, "set capture.sources[0].fanout (cpu) to lb")]
    [InlineData(FanoutMode.Lb, "workers (2)")]
    [InlineData(FanoutMode.Rollover, null)]
    public void Find_one_worker_gets_all(FanoutMode mode, string? advice)
    {
        CaptureConfig config = Config with { Sources = [Config.Sources[0] with { Fanout = mode }] };
        CaptureReading now = Reading(100_000);
        ReaderStatistics all = now.Statistics.Readers[0] with { Received = new(100_000, 0, 0), Packets = 100_000 };
        ReaderStatistics none = all with { Received = default, Packets = 0 };
        now = now with { Statistics = now.Statistics with { Readers = [all, none] } };
        IReadOnlyList<CaptureFinding> findings = CaptureAdvice.Find(config, Reading(0), now, CaptureMonitor.Interval);
        if (advice is null)
        {
            Assert.Empty(findings);
        }
        else
        {
            CaptureFinding finding = Assert.Single(findings);
            Assert.Equal("one_worker", finding.Code);
            Assert.Contains(advice, finding.Advice, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Find_decoding()
    {
        Assert.Equal("not_ip", FindOne(change: r => r with { NonIp = 40_000 }).Code);
        Assert.Equal("mostly_ignored", FindOne(change: r => r with { Ignored = 50_000 }).Code);
        Assert.Empty(Codes(Reading(0), Reading(100_000, change: r => r with { Ignored = 30_000 })));
        CaptureFinding truncated = FindOne(change: r => r with { Undecodable = new Dictionary<string, long> { ["truncated_tunnel"] = 4_000 } });
        Assert.Equal(("truncated", "raise capture.sources[0].snaplen (128); if that changes nothing, the switch cuts the frames"), (truncated.Code, truncated.Advice));
        CaptureFinding undecodable = FindOne(change: r => r with { Undecodable = new Dictionary<string, long> { ["bad_ipv4_version"] = 4_000, ["too_deep"] = 1 } });
        Assert.Equal("undecodable", undecodable.Code);
        Assert.Contains("bad_ipv4_version", undecodable.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(null, true)]
    [InlineData(false, false)]
    public void Find_long_frames_are_merged_ones_unless_offloads_are_off(bool? merges, bool told)
    {
        CaptureReading now = Reading(100_000, s => s with { LongFrames = 10, LongestFrame = 60_000 }, Nic with { MergesSegments = merges });
        Assert.Equal(told ? ["merged_segments"] : [], Codes(Reading(0), now));
    }

    [Theory]
    [InlineData(false, false, "mir0: no such interface", "absent")]
    [InlineData(true, false, "mir0: the interface is down", "interface_down")]
    [InlineData(true, true, "mir0: the packet socket failed", "unavailable")]
    [InlineData(true, true, null, "silent")]
    public void Find_source_without_frames(bool exists, bool up, string? message, string code)
    {
        InterfaceReading nic = Nic with { Exists = exists, Up = up };
        CaptureReading now = Reading(0, s => s with { Message = message }, nic);
        Assert.Equal([code], Codes(Reading(0, nic: nic), now));
    }

    [Fact]
    public void Find_no_carrier() => Assert.Equal(["no_carrier"], Codes(Reading(0), Reading(0, nic: Nic with { Carrier = false })));

    [Fact]
    public void Find_silent_source_names_what_may_keep_frames_out()
    {
        CaptureConfig config = Config with { Sources = [Config.Sources[0] with { Filter = "tcp", Promiscuous = false }] };
        CaptureFinding finding = Assert.Single(CaptureAdvice.Find(config, Reading(0), Reading(0), CaptureMonitor.Interval));
        Assert.Contains("capture.sources[0].filter (\"tcp\")", finding.Advice, StringComparison.Ordinal);
        Assert.Contains("capture.sources[0].promiscuous (false)", finding.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_message_beside_frames_is_a_remark() => Assert.Empty(Codes(Reading(0), Reading(100_000, s => s with { Message = "cannot run on CPU 7" })));

    [Fact]
    public void Find_packets_without_link_or_prefix()
    {
        CaptureReading now = Reading(100_000) with { UnattributedPackets = 30_000 };
        Assert.Equal(["no_link_match"], Codes(Reading(0), now));
        CaptureReading unrouted = Reading(100_000);
        unrouted = unrouted with { Statistics = unrouted.Statistics with { UnroutedPackets = 30_000 } };
        Assert.Equal(["unrouted"], Codes(Reading(0), unrouted));
    }

    [Fact]
    public void Find_huge_pages_off() =>
        Assert.Equal(["huge_pages_off"], Codes(Reading(0), Reading(100_000) with { HugePages = new HugePagesReading("never", 0) }));

    [Fact]
    public void Find_few_frames_say_nothing_about_shares() =>
        Assert.Empty(Codes(Reading(0), Reading(900, change: r => r with { NonIp = r.Packets, Packets = 0 }) with { UnattributedPackets = 800 }));

    [Fact]
    public void Find_puts_the_worst_first()
    {
        CaptureReading now = Reading(100_000, s => s with { DroppedFrames = 500, Freezes = 3 }) with { UnattributedPackets = 30_000, HugePages = new HugePagesReading("never", 0) };
        Assert.Equal(["ring_full", "no_link_match", "huge_pages_off"], Codes(Reading(0), now));
    }

    private static CaptureFinding FindOne(Func<SourceStatistics, SourceStatistics>? source = null, Func<ReaderStatistics, ReaderStatistics>? change = null) =>
        Assert.Single(CaptureAdvice.Find(Config, Reading(0), Reading(99_000, source, change: change), CaptureMonitor.Interval));

    private static IEnumerable<string> Codes(CaptureReading before, CaptureReading now) =>
        CaptureAdvice.Find(Config, before, now, CaptureMonitor.Interval).Select(f => f.Code);

    /// <summary>Two workers of mir0 that share so many frames, all of them packets but for what is changed in each worker.</summary>
    private static CaptureReading Reading(
        long frames, Func<SourceStatistics, SourceStatistics>? source = null, InterfaceReading? nic = null, Func<ReaderStatistics, ReaderStatistics>? change = null)
    {
        SourceStatistics half = new(frames / 2, 0, 0);
        half = source is null ? half : source(half);
        ReaderStatistics reader = new() { Source = "mir0", Received = half, Packets = frames / 2, IpBytes = frames * 250 };
        reader = change is null ? reader : change(reader);
        return new CaptureReading
        {
            Timestamp = 0,
            Statistics = new PipelineStatistics
            {
                Frames = frames,
                Packets = frames,
                IpBytes = frames * 500,
                Sources = new Dictionary<string, SourceStatistics>
                {
                    ["mir0"] = half with { ReceivedFrames = 2 * half.ReceivedFrames, DroppedFrames = 2 * half.DroppedFrames, Freezes = 2 * half.Freezes },
                },
                Readers = [reader, reader],
            },
            Interfaces = new Dictionary<string, InterfaceReading> { ["mir0"] = nic ?? Nic },
            HugePages = new HugePagesReading("madvise", 0),
        };
    }
}
