using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>
/// Makes the kernel filter of a packet socket: libpcap compiles the expression, and the value that the program returns is the snap length, by
/// which the kernel cuts frames before they are copied into the ring.
/// </summary>
/// <remarks>
/// The kernel strips a frame's outermost VLAN tag before a packet socket sees it, so code that looks for the tag in the
/// bytes never finds it. libpcap knows that, but only for a handle on a live interface: then <c>vlan</c> becomes a load
/// of the tag's metadata (SKF_AD_VLAN_TAG_PRESENT). Hence an expression with the word <c>vlan</c> is compiled on a live
/// handle, which needs the interface up and the same right as capturing does, and is closed at once; any other on a dead handle, which needs nothing.
/// For those the code is the same either way. What follows from stripping: <c>ip</c> matches tagged packets as well.
/// </remarks>
internal static unsafe partial class FilterCompiler
{
    /// <summary>No such link type for libpcap: a bare IP packet (DLT_RAW on Linux).</summary>
    private const int DltRaw = 12;
    private const int DltEthernet = 1;

    /// <summary>BPF_RET | BPF_K: end, keeping as many bytes as the operand says.</summary>
    private const ushort ReturnConstant = 0x06;

    /// <summary>A program that keeps nothing.</summary>
    public static ulong[] DropAll { get; } = [Instruction(ReturnConstant, 0)];

    /// <summary>Compiles an expression for an interface.</summary>
    /// <exception cref="CaptureException">The expression is wrong, with libpcap's words; or libpcap is missing; or, for <c>vlan</c>, the interface cannot be opened.</exception>
    public static ulong[] Compile(AfPacketOptions options, LinkLayerType linkLayer)
    {
        if (string.IsNullOrWhiteSpace(options.Filter))
        {
            return [Instruction(ReturnConstant, (uint)options.SnapLength)];
        }

        return MentionsVlan().IsMatch(options.Filter) ? CompileLive(options) : CompileDead(options, linkLayer);
    }

    /// <summary>Checks the expression's syntax; needs neither rights nor the interface.</summary>
    /// <exception cref="CaptureException">The expression is wrong, or libpcap is missing.</exception>
    public static void CheckSyntax(AfPacketOptions options)
    {
        if (!string.IsNullOrWhiteSpace(options.Filter))
        {
            CompileDead(options, LinkLayerType.Ethernet);
        }
    }

    [GeneratedRegex(@"\bvlan\b")]
    private static partial Regex MentionsVlan();

    private static ulong Instruction(ushort code, uint operand) => code | (ulong)operand << 32;

    private static ulong[] CompileDead(AfPacketOptions options, LinkLayerType linkLayer) => WithLibrary(options, () =>
    {
        nint pcap = LibPcap.OpenDead(linkLayer == LinkLayerType.RawIp ? DltRaw : DltEthernet, options.SnapLength);
        return CompileAndClose(pcap, options);
    });

    private static ulong[] CompileLive(AfPacketOptions options) => WithLibrary(options, () =>
    {
        byte* error = stackalloc byte[LibPcap.ErrorBufferBytes];
        nint pcap = LibPcap.Create(options.Interface, error);
        if (pcap == 0)
        {
            throw new CaptureException(CaptureError.SystemCall, options.Interface, Marshal.PtrToStringUTF8((nint)error) ?? "pcap_create failed");
        }

        _ = LibPcap.SetSnapLength(pcap, options.SnapLength);
        int status = LibPcap.Activate(pcap);
        if (status < 0)
        {
            string text = LibPcap.ErrorText(pcap);
            LibPcap.Close(pcap);
            throw status switch
            {
                LibPcap.ErrorNoSuchDevice => AfPacketErrors.NoSuchInterface(options.Interface),
                LibPcap.ErrorInterfaceNotUp => AfPacketErrors.InterfaceDown(options.Interface),
                LibPcap.ErrorPermission => AfPacketErrors.PermissionDenied(options.Interface),
                _ => new CaptureException(CaptureError.SystemCall, options.Interface, $"the filter cannot be compiled: {text}"),
            };
        }

        return CompileAndClose(pcap, options);
    });

    private static ulong[] CompileAndClose(nint pcap, AfPacketOptions options)
    {
        FilterProgram program = default;
        try
        {
            if (LibPcap.Compile(pcap, &program, options.Filter, optimize: 1, LibPcap.NetmaskUnknown) != 0)
            {
                throw new CaptureException(CaptureError.BadFilter, options.Interface, $"filter \"{options.Filter}\": {LibPcap.ErrorText(pcap)}");
            }

            return new ReadOnlySpan<ulong>(program.Instructions, (int)program.Length).ToArray();
        }
        finally
        {
            LibPcap.FreeCode(&program);
            LibPcap.Close(pcap);
        }
    }

    private static ulong[] WithLibrary(AfPacketOptions options, Func<ulong[]> compile)
    {
        try
        {
            return compile();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new CaptureException(
                CaptureError.LibpcapMissing, options.Interface, "a filter needs libpcap (Debian: libpcap0.8), which is not installed", e);
        }
    }
}
