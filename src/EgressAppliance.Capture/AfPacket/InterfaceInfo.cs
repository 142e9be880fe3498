using System.Text;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>What the kernel says of a network interface (netdevice(7)).</summary>
internal static unsafe class InterfaceInfo
{
    private const ushort ArphrdEther = 1;
    private const ushort ArphrdPpp = 512;
    private const ushort ArphrdLoopback = 772;
    private const ushort ArphrdNone = 0xFFFE;
    private const ushort ArphrdRawIp = 519;

    /// <summary>The interface's index; 0 if there is none.</summary>
    public static int IndexOf(string name) => (int)LibC.InterfaceIndex(name);

    /// <summary>True if it is administratively up. Any socket will do.</summary>
    public static bool IsUp(int fd, string name) =>
        TryQuery(fd, name, LibC.SiocGetInterfaceFlags, out ushort flags) && (flags & LibC.InterfaceUp) != 0;

    /// <summary>How its frames begin.</summary>
    /// <exception cref="CaptureException">They begin in a way that the decoder does not know.</exception>
    public static LinkLayerType LinkLayerOf(int fd, string name)
    {
        if (!TryQuery(fd, name, LibC.SiocGetHardwareAddress, out ushort hardwareType))
        {
            throw AfPacketErrors.FromLastError(name, "asking for its type");
        }

        return hardwareType switch
        {
            ArphrdEther or ArphrdLoopback => LinkLayerType.Ethernet,
            ArphrdNone or ArphrdPpp or ArphrdRawIp => LinkLayerType.RawIp,
            _ => throw new CaptureException(
                CaptureError.UnsupportedInterface, name, $"interfaces of type {hardwareType} (ARPHRD) cannot be captured: only Ethernet and bare IP"),
        };
    }

    /// <summary>True if generic or large receive offload is on, by which received segments reach packet sockets merged; null if the kernel does not say.</summary>
    public static bool? MergesSegments(string name)
    {
        int fd = LibC.Socket(LibC.AfInet, LibC.SockDatagram | LibC.SockCloseOnExec, 0);
        if (fd < 0)
        {
            return null;
        }

        try
        {
            bool known = TryEthtool(fd, name, LibC.EthtoolGetGro, out uint gro) & TryEthtool(fd, name, LibC.EthtoolGetFlags, out uint flags);
            return known ? gro != 0 || (flags & LibC.EthtoolFlagLro) != 0 : null;
        }
        finally
        {
            _ = LibC.Close(fd);
        }
    }

    private static bool TryEthtool(int fd, string name, uint command, out uint answer)
    {
        EthtoolValue value = new() { Command = command };
        EthtoolRequest request = default;
        Encoding.UTF8.TryGetBytes(name, new Span<byte>(request.Name, 15), out _);

        // Invariant: the value lies on the stack and outlives the call.
        request.Data = &value;
        bool done = LibC.IoControl(fd, LibC.SiocEthtool, &request) == 0;
        answer = value.Data;
        return done;
    }

    private static bool TryQuery(int fd, string name, nuint request, out ushort answer)
    {
        InterfaceRequest query = default;

        // One byte stays zero: the options limit names to 15 characters, and longer ones in bytes are cut.
        Encoding.UTF8.TryGetBytes(name, new Span<byte>(query.Name, 15), out _);
        bool done = LibC.IoControl(fd, request, &query) == 0;
        answer = query.FlagsOrFamily;
        return done;
    }
}
