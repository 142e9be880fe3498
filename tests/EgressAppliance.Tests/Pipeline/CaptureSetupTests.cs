using EgressAppliance.Capture;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Tests.Pipeline;

public sealed class CaptureSetupTests
{
    private static readonly InterfaceReading Nic = new() { Exists = true, Up = true, Carrier = true, HardwareType = 1, Mtu = 1500, MergesSegments = false };

    private static readonly CaptureHost Host = new()
    {
        Cpus = 4,
        AvailableMemory = 1L << 30,
        HugePages = new HugePagesReading("madvise", 0),
        Interface = _ => Nic,
        TryCapture = _ => [],
    };

    [Fact]
    public void Check_good_machine_passes_without_warnings() =>
        Assert.All(Check(Host), c => Assert.Equal((true, false, null), (c.Passed, c.Warning, c.Key)));

    [Theory]
    [InlineData(CaptureError.NoSuchInterface, "no such interface", "capture.sources[0].interface")]
    [InlineData(CaptureError.InterfaceDown, "the interface is down", "capture.sources[0].interface")]
    [InlineData(CaptureError.BadFilter, "filter \"x\": syntax error", "capture.sources[0].filter")]
    [InlineData(CaptureError.BadOption, "cpus: there is no CPU 99", "capture.sources[0].cpus")]
    [InlineData(CaptureError.SystemCall, "making the ring: not enough memory", null)]
    public void Check_what_keeps_a_source_closed_names_its_key(CaptureError error, string reason, string? key)
    {
        SetupCheck failed = Assert.Single(Check(Host with { TryCapture = o => [new CaptureException(error, o.Interface, reason)] }), c => !c.Passed);
        Assert.Equal(("capture mir0", key), (failed.Name, failed.Key));
        Assert.Contains(reason, failed.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_interface_that_may_lie_is_warned_about()
    {
        Assert.Contains("ethtool -K mir0 gro off lro off", Warning(Host with { Interface = _ => Nic with { MergesSegments = true } }).Remedy, StringComparison.Ordinal);
        Assert.Contains("carrier", Warning(Host with { Interface = _ => Nic with { Carrier = false } }).Detail, StringComparison.Ordinal);
        Assert.Contains("no Ethernet", Warning(Host with { Interface = _ => Nic with { HardwareType = 65534 } }).Detail, StringComparison.Ordinal);
        Assert.Equal("capture.sources[0].workers", Warning(Host with { Cpus = 1 }).Key);
        Assert.Equal("huge pages", Warning(Host with { HugePages = new HugePagesReading("never", 0) }).Name);
    }

    [Theory]
    [InlineData(256L << 20, true, false)]
    [InlineData(255L << 20, true, true)]
    [InlineData(128L << 20, false, true)]
    public void Check_rings_against_memory(long available, bool passed, bool warning)
    {
        SetupCheck check = Assert.Single(Check(Host with { AvailableMemory = available }), c => c.Name == "capture memory");
        Assert.Equal((passed, warning, warning ? "capture.sources[0].ring" : null), (check.Passed, check.Warning, check.Key));
    }

    [Fact]
    public void ParseAvailable_reads_kibibytes()
    {
        Assert.Equal(2048L << 10, CaptureHost.ParseAvailable("MemTotal:  4096 kB\nMemAvailable:   2048 kB\n"));
        Assert.Equal(0, CaptureHost.ParseAvailable(""));
        Assert.True(CaptureHost.Read().Cpus > 0);
    }

    private static SetupCheck Warning(CaptureHost host) => Assert.Single(Check(host), c => c.Warning);

    private static IReadOnlyList<SetupCheck> Check(CaptureHost host) =>
        CaptureSetup.Check(new CaptureConfig { Sources = [new CaptureSourceConfig { Interface = "mir0", Workers = 2 }] }, host);
}
