using System.Runtime.InteropServices;
using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Tests.Capture;

/// <summary>What can be told without rights or interfaces.</summary>
public class AfPacketOptionsTests
{
    private static AfPacketOptions Options => new() { Interface = "ega-absent" };

    public static TheoryData<AfPacketOptions, string> BadOptions => new()
    {
        { Options with { Interface = "" }, "interface:" },
        { Options with { Interface = "a-name-that-is-too-long" }, "interface:" },
        { Options with { SnapLength = 32 }, "snaplen:" },
        { Options with { BlockBytes = 5000 }, "block:" },
        { Options with { BlockBytes = 4096, SnapLength = 4000 }, "block:" },
        { Options with { RingBytes = 1 << 20 }, "ring:" },
        { Options with { BlockTimeout = TimeSpan.Zero }, "block_timeout:" },
        { Options with { Workers = 0 }, "workers:" },
        { Options with { Cpus = [0, 1023] }, "cpus: there is no CPU 1023" },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void Open_setting_out_of_range_names_it(AfPacketOptions options, string message)
    {
        CaptureException error = Assert.Throws<CaptureException>(() => AfPacketSource.Open(options));
        Assert.Equal(CaptureError.BadOption, error.Error);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_bad_filter_gives_libpcap_text()
    {
        CaptureException problem = Assert.Single(AfPacketSource.Check(Options with { Filter = "ip and and" }));
        Assert.Equal(CaptureError.BadFilter, problem.Error);
        Assert.StartsWith("ega-absent: filter \"ip and and\": ", problem.Message, StringComparison.Ordinal);
        Assert.Contains("syntax error", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_no_filter_keeps_snaplen_bytes() =>
        Assert.Equal([0x0000_0060_0000_0006UL], FilterCompiler.Compile(Options with { SnapLength = 96 }, LinkLayerType.Ethernet));

    [Fact]
    public void Compile_filter_returns_snaplen_for_matches()
    {
        ulong[] program = FilterCompiler.Compile(Options with { SnapLength = 96, Filter = "ip" }, LinkLayerType.Ethernet);
        Assert.Contains(0x0000_0060_0000_0006UL, program);
        Assert.Contains(0x0000_0000_0000_0006UL, program);
    }

    [Theory]
    [InlineData(LibC.EPerm, CaptureError.PermissionDenied, "CAP_NET_RAW")]
    [InlineData(LibC.ENoDev, CaptureError.NoSuchInterface, "no such interface")]
    [InlineData(LibC.ENetDown, CaptureError.InterfaceDown, "is down")]
    [InlineData(LibC.ENoMem, CaptureError.SystemCall, "a smaller ring")]
    public void FromLastError_errno_becomes_the_operators_words(int errno, CaptureError error, string words)
    {
        Marshal.SetLastPInvokeError(errno);
        CaptureException exception = AfPacketErrors.FromLastError("mir0", "binding the socket");
        Assert.Equal(error, exception.Error);
        Assert.Equal("mir0", exception.SourceName);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Structures_have_the_sizes_of_the_kernel()
    {
        Assert.Equal(20, sizeof(SockAddrLinkLayer));
        Assert.Equal(16, sizeof(PacketMembership));
        Assert.Equal(28, sizeof(RingRequest));
        Assert.Equal(48, sizeof(RingFrameHeader));
        Assert.Equal(12, sizeof(RingStatistics));
        Assert.Equal(16, sizeof(FilterProgram));
        Assert.Equal(40, sizeof(InterfaceRequest));
        Assert.Equal(8, sizeof(PollFd));
    }
}
