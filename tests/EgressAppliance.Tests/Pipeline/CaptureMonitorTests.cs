using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Host.Steering;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Pipeline;

public sealed class CaptureMonitorTests
{
    private static readonly CaptureDto NoTotals = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, new Dictionary<string, long>(), 0, 0, 0, 0, []);
    private readonly ManualTimeProvider _time = new();
    private InterfaceReading _nic = new() { Exists = true, Up = true, Missed = 1_000, Dropped = 2_000 };
    private int _hugePagesReads;

    [Fact]
    public void Update_rates_and_loss_are_over_ten_seconds_and_since_start()
    {
        CaptureMonitor monitor = Monitor();
        CaptureReport report = monitor.Update(0, Statistics(0, 0), 0);
        Assert.Equal(TimeSpan.Zero, report.Interval);
        for (int second = 5; second <= 60; second += 5)
        {
            // 1000 frames/s of 125 bytes; loss in one cycle only, that from 10 to 15 s.
            _nic = _nic with { Missed = second < 15 ? 1_000 : 1_500 };
            report = monitor.Update(TimeSpan.FromSeconds(second).Ticks, Statistics(1000 * second, second < 15 ? 0 : 500), 0);
            CaptureDto dto = CaptureView.Complete(NoTotals, report);
            CaptureSourceDto source = Assert.Single(dto.Sources);
            Assert.Equal(second < 10 ? 5 : 10, dto.IntervalSeconds);
            Assert.Equal(("receiving", 1000.0, 1_000_000.0), (source.State, source.FramesPerSecond, source.BitsPerSecond));
            Assert.Equal(second is 15 or 20 ? Math.Round(1_000.0 / 11_000, 9) : 0, source.LossRatio);
            Assert.Equal(second is 15 or 20, dto.Findings.Any(f => f.Code == "nic_missed" && f.Level == "loss"));
            if (second >= 15)
            {
                // What the interface counted before the start is not ours.
                Assert.Equal((500, 0), (source.NicMissed, source.NicDropped));
                Assert.Equal(Math.Round(1_000.0 / ((1000 * second) + 1_000), 9), dto.TotalLossRatio);
            }
        }
    }

    [Fact]
    public void Update_reads_huge_pages_once_a_minute_and_files_never()
    {
        CaptureMonitor monitor = new(
            new CaptureConfig { Sources = [new CaptureSourceConfig { Backend = CaptureBackend.PcapFile, File = "mir0" }] }, _time,
            _ => throw new InvalidOperationException("a file is no interface"), HugePages);
        for (int second = 0; second <= 120; second += 5)
        {
            Assert.Empty(monitor.Update(TimeSpan.FromSeconds(second).Ticks, Statistics(second, 0), 0).Findings);
        }

        Assert.Equal(3, _hugePagesReads);
    }

    [Theory]
    [InlineData("always [madvise] never\n", "madvise", true)]
    [InlineData("[always] madvise never\n", "always", true)]
    [InlineData("always madvise [never]\n", "never", false)]
    [InlineData("", "", false)]
    public void HugePages_setting(string text, string setting, bool available)
    {
        HugePagesReading reading = new(HugePagesReading.ParseSetting(text), HugePagesReading.ParseGranted("Rss: 1 kB\nAnonHugePages:    131072 kB\n"));
        Assert.Equal((setting, available, 128L << 20), (reading.Setting, reading.Available, reading.GrantedBytes));
    }

    [Fact]
    public void Interface_is_read_from_its_folder()
    {
        string root = Directory.CreateTempSubdirectory("interfaces").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(root, "mir0", "statistics"));
            foreach ((string file, string text) in ((string, string)[])
                [("flags", "0x1003"), ("carrier", "0"), ("type", "1"), ("mtu", "9000"), ("statistics/rx_missed_errors", "1"), ("statistics/rx_over_errors", "20"),
                    ("statistics/rx_fifo_errors", "300"), ("statistics/rx_dropped", "7")])
            {
                File.WriteAllText(Path.Combine(root, "mir0", file), text + "\n");
            }

            Assert.Equal(
                new InterfaceReading { Exists = true, Up = true, Carrier = false, HardwareType = 1, Mtu = 9000, Missed = 321, Dropped = 7 },
                InterfaceReading.Read("mir0", root) with { MergesSegments = null });
            Assert.Equal(new InterfaceReading(), InterfaceReading.Read("mir1", root));
            Assert.Equal(new InterfaceReading(), InterfaceReading.Read("", root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static PipelineStatistics Statistics(long frames, long dropped)
    {
        SourceStatistics source = new(frames, dropped, 0);
        return new PipelineStatistics
        {
            Frames = frames,
            Packets = frames,
            IpBytes = frames * 125,
            Sources = new Dictionary<string, SourceStatistics> { ["mir0"] = source },
            Readers = [new ReaderStatistics { Source = "mir0", Received = source, Packets = frames, IpBytes = frames * 125 }],
        };
    }

    private CaptureMonitor Monitor() =>
        new(new CaptureConfig { Sources = [new CaptureSourceConfig { Interface = "mir0" }] }, _time, _ => _nic, HugePages);

    private HugePagesReading HugePages()
    {
        _hugePagesReads++;
        return new HugePagesReading("madvise", 0);
    }
}
