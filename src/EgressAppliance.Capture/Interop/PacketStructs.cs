using System.Runtime.InteropServices;

namespace EgressAppliance.Capture.Interop;

/// <summary>struct pollfd</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    public int Fd;
    public short Events;
    public short ReturnedEvents;
}

/// <summary>struct sockaddr_ll (packet(7)). The protocol is in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SockAddrLinkLayer
{
    public ushort Family;
    public ushort Protocol;
    public int InterfaceIndex;
    public ushort HardwareType;
    public byte PacketType;
    public byte AddressLength;
    public fixed byte Address[8];
}

/// <summary>struct packet_mreq (packet(7))</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PacketMembership
{
    public int InterfaceIndex;
    public ushort Type;
    public ushort AddressLength;
    public fixed byte Address[8];
}

/// <summary>struct tpacket_req3 (linux/if_packet.h)</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RingRequest
{
    public uint BlockSize;
    public uint BlockCount;
    public uint FrameSize;
    public uint FrameCount;
    public uint RetireTimeoutMilliseconds;
    public uint PrivateSize;
    public uint Features;
}

/// <summary>struct tpacket_block_desc with its tpacket_hdr_v1 (linux/if_packet.h), as far as it is used.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RingBlockHeader
{
    public uint Version;
    public uint OffsetToPrivate;
    public uint Status;
    public uint PacketCount;
    public uint OffsetToFirstPacket;
    public uint Length;
}

/// <summary>struct tpacket3_hdr (linux/if_packet.h)</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RingFrameHeader
{
    public uint NextOffset;
    public uint Seconds;
    public uint Nanoseconds;
    public uint CapturedLength;
    public uint WireLength;
    public uint Status;
    public ushort MacOffset;
    public ushort NetOffset;
    public uint RxHash;
    public uint VlanTci;
    public ushort VlanTpid;
    public ushort Padding;
    public ulong Padding2;
}

/// <summary>struct tpacket_stats_v3 (linux/if_packet.h). The packets include the drops.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RingStatistics
{
    public uint Packets;
    public uint Drops;
    public uint Freezes;
}

/// <summary>struct sock_fprog (linux/filter.h), and bpf_program of libpcap with its wider first field: 4 bytes of padding follow either.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FilterProgram
{
    public uint Length;
    public ulong* Instructions;
}

/// <summary>struct ifreq (netdevice(7)): the name, and the one of the union's members that is used.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InterfaceRequest
{
    public fixed byte Name[16];
    public ushort FlagsOrFamily;
    public fixed byte Rest[22];
}

/// <summary>struct ifreq (netdevice(7)) with the union's pointer, as SIOCETHTOOL takes it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EthtoolRequest
{
    public fixed byte Name[16];
    public void* Data;
    public fixed byte Rest[16];
}

/// <summary>struct ethtool_value (linux/ethtool.h)</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EthtoolValue
{
    public uint Command;
    public uint Data;
}
