using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// TCP MD5 signatures (RFC 2385) by Linux' TCP_MD5SIG option (linux/tcp.h, struct tcp_md5sig: 128 octets of socket address, flags, prefix
/// length, key length, interface index, 80 octets of key).
/// </summary>
internal static class TcpMd5
{
    private const int ProtocolTcp = 6;
    private const int OptionMd5Sig = 14;
    private const int StructSize = 216;
    private const int MaxKeyLength = 80;

    /// <summary>True if the key can be used: 1 to 80 octets of UTF-8.</summary>
    public static bool IsValid(string password) => Encoding.UTF8.GetByteCount(password) is > 0 and <= MaxKeyLength;

    /// <summary>Sets the key for one peer, on a socket about to connect or on a listener.</summary>
    /// <exception cref="SocketException">The kernel has no TCP_MD5SIG.</exception>
    public static void SetKey(Socket socket, IPAddress peer, string password)
    {
        Span<byte> option = stackalloc byte[StructSize];
        option.Clear();
        // sockaddr: the family is in host order; port 0 stands for every port.
        if (peer.AddressFamily == AddressFamily.InterNetwork)
        {
            MemoryMarshal.Write(option, (ushort)2);
            peer.TryWriteBytes(option[4..], out _);
        }
        else
        {
            MemoryMarshal.Write(option, (ushort)10);
            peer.TryWriteBytes(option[8..], out _);
            BinaryPrimitives.WriteUInt32LittleEndian(option[24..], (uint)peer.ScopeId);
        }

        int length = Encoding.UTF8.GetBytes(password, option[136..]);
        MemoryMarshal.Write(option[130..], (ushort)length);
        socket.SetRawSocketOption(ProtocolTcp, OptionMd5Sig, option);
    }
}
