using System.Net;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Doctor;

namespace EgressAppliance.Tests.Doctor;

public sealed class MachineChecksTests
{
    private const ulong AllCapabilities = ulong.MaxValue;

    private static readonly MachineFacts Good = new()
    {
        Kernel = "6.1.0-18-amd64",
        Capabilities = AllCapabilities,
        LockableMemory = long.MaxValue,
        Governors = ["performance"],
        ClockSynchronized = true,
        CpusOfNode = _ => "0-7,16-23",
        Nic = name => name == "mir0" ? new NicFacts("mir0", 8, 100_000, 0, 8192, 8192) : null,
        Disk = _ => (100L << 30, 200L << 30, null),
    };

    private static readonly ApplianceConfig Config = new()
    {
        Site = "test",
        Mode = ApplianceMode.Observe,
        Capture = new CaptureConfig { Sources = [new CaptureSourceConfig { Interface = "mir0", Workers = 4, Cpus = [0, 1, 16, 17], RingBytes = 64 << 20 }] },
        Routers = [new RouterConfig { Name = "edge1", Address = IPAddress.Loopback, Bgp = new BgpConfig { LocalAddress = IPAddress.Loopback, LocalAs = 64500, PeerAs = 64500, ListenPort = 179 } }],
        Links = [],
    };

    [Fact]
    public void Good_machine_has_nothing_to_do()
    {
        IReadOnlyList<SetupCheck> checks = MachineChecks.Run(Config, Good);
        Assert.All(checks, c => Assert.True(c is { Passed: true, Warning: false }, $"{c.Name}: {c.Detail}"));
        Assert.Equal(["kernel", "permissions", "nic mir0", "nic mir0", "cpu frequency", "clock", "disk"], checks.Select(c => c.Name));
    }

    public static TheoryData<string, MachineFacts, string, string> Faults => new()
    {
        { "permissions", Good with { Capabilities = AllCapabilities & ~(1UL << 13) }, "lacks CAP_NET_RAW", "systemd unit" },
        { "permissions", Good with { Capabilities = AllCapabilities & ~(1UL << 10) }, "CAP_NET_BIND_SERVICE", "systemd unit" },
        { "permissions", Good with { Capabilities = AllCapabilities & ~(1UL << 14), LockableMemory = 8 << 20 }, "LimitMEMLOCK of 256MiB", "systemd unit" },
        { "nic mir0", Good with { Nic = n => new NicFacts(n, 8, 100_000, 0, 512, 8192) }, "512 of at most 8192", "ethtool -G mir0 rx 8192" },
        { "nic mir0", Good with { Nic = n => new NicFacts(n, 1, 100_000, 0, null, null) }, "one receive queue for 100 Gbit/s", "ethtool -L mir0 combined 4" },
        { "nic mir0", Good with { CpusOfNode = _ => "16-23" }, "CPUs 0, 1 are not", "choose CPUs from 16-23" },
        { "cpu frequency", Good with { Governors = ["performance", "powersave"] }, "powersave", "cpupower" },
        { "clock", Good with { ClockSynchronized = false }, "not kept by a time server", "set-ntp true" },
        { "clock", Good with { ClockSynchronized = null }, "not known", "chronyc" },
        { "disk", Good with { Disk = _ => (100L << 20, 200L << 30, null) }, "100MiB of 200GiB free", "make room" },
        { "disk", Good with { Disk = _ => (512L << 20, 200L << 30, null) }, "the journal may take 1GiB", "history.journal_size" },
        { "disk", Good with { Disk = _ => (1L << 40, 1L << 40, "Read-only file system") }, "Read-only file system", "systemd unit" },
        { "disk", Good with { Disk = _ => null }, "cannot be told", "mounted" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Fault_is_told_with_what_to_do(string name, MachineFacts machine, string detail, string remedy)
    {
        SetupCheck check = Assert.Single(MachineChecks.Run(Config, machine), c => c is { Passed: false } or { Warning: true });
        Assert.Equal(name, check.Name);
        Assert.Contains(detail, check.Detail, StringComparison.Ordinal);
        Assert.Contains(remedy, check.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Facts_of_this_machine_are_read()
    {
        MachineFacts machine = MachineFacts.Read();
        Assert.Matches("^[0-9]+\\.[0-9]+", machine.Kernel);
        Assert.NotEqual(0, machine.LockableMemory);
        Assert.True(machine.Nic("lo")!.ReceiveQueues >= 1);
        Assert.Null(machine.Nic("no-such-nic"));
        (long free, long total, string? unwritable) = machine.Disk(Path.Combine(Path.GetTempPath(), "not", "there", "yet"))!.Value;
        Assert.True(free > 0 && total >= free);
        Assert.Null(unwritable);
    }

    [Fact]
    public void Kernel_texts_are_parsed()
    {
        Assert.Equal(0x1ffUL, MachineFacts.ParseCapabilities("Name:\tx\nCapInh:\t0\nCapEff:\t00000000000001ff\n"));
        Assert.Equal(0UL, MachineFacts.ParseCapabilities("CapEff:\tnonsense\n"));
        Assert.Equal(8388608, MachineFacts.ParseLockable("Limit  Soft Limit  Hard Limit\nMax locked memory         8388608              8388608              bytes\n"));
        Assert.Equal(long.MaxValue, MachineFacts.ParseLockable("Max locked memory         unlimited            unlimited            bytes\n"));
        Assert.Equal(0, MachineFacts.ParseLockable(""));
        Assert.Equal(
            (512, 4096),
            MachineFacts.ParseRing("Ring parameters for eth0:\nPre-set maximums:\nRX:\t\t4096\nRX Mini:\tn/a\nTX:\t\t4096\nCurrent hardware settings:\nRX:\t\t512\nTX:\t\t512\n"));
        Assert.Equal((null, null), MachineFacts.ParseRing("netlink error: Operation not supported\n"));
    }
}
