using System.Runtime.InteropServices;

namespace EgressAppliance.Capture.Interop;

/// <summary>The few system calls that a packet ring needs, and their constants (packet(7), socket(7), netdevice(7)). Linux, 64 bits.</summary>
internal static unsafe partial class LibC
{
    public const int AfInet = 2;
    public const int AfPacket = 17;
    public const int SockDatagram = 2;
    public const int SockRaw = 3;
    public const int SockCloseOnExec = 0x80000;

    public const int SolSocket = 1;
    public const int SoError = 4;
    public const int SoAttachFilter = 26;
    public const int SolPacket = 263;
    public const int PacketAddMembership = 1;
    public const int PacketRxRing = 5;
    public const int PacketStatistics = 6;
    public const int PacketVersion = 10;
    public const int PacketFanout = 18;
    public const int PacketIgnoreOutgoing = 23;

    public const int TpacketV3 = 2;
    public const ushort PacketMrPromiscuous = 1;
    public const int FanoutFlagUniqueId = 0x2000;
    public const uint TpStatusUser = 1;
    public const uint TpStatusVlanValid = 1 << 4;
    public const ushort EthPAll = 0x0003;

    public const nuint SiocGetInterfaceFlags = 0x8913;
    public const nuint SiocGetHardwareAddress = 0x8927;
    public const int InterfaceUp = 1;

    // linux/sockios.h and linux/ethtool.h.
    public const nuint SiocEthtool = 0x8946;
    public const uint EthtoolGetFlags = 0x25;
    public const uint EthtoolGetGro = 0x2B;
    public const uint EthtoolFlagLro = 1 << 15;

    public const int ProtRead = 1;
    public const int ProtWrite = 2;
    public const int MapShared = 1;
    public const int MapPopulate = 0x8000;

    public const short PollIn = 1;
    public const short PollError = 8;
    public const short PollHangUp = 16;

    public const int EPerm = 1;
    public const int EIntr = 4;
    public const int ENoMem = 12;
    public const int EAccess = 13;
    public const int ENoDev = 19;
    public const int ENxIo = 6;
    public const int ENetDown = 100;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int fd, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetSocketOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSocketOption(int fd, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollFd* fds, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int IoControl(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial uint InterfaceIndex(string name);

    /// <summary>Thread 0 is the calling one.</summary>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int thread, nuint maskBytes, ulong* mask);

    /// <summary>The text of the last error of these calls on this thread.</summary>
    public static string LastErrorText() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
}
