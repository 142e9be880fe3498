using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Session;

/// <summary>Makes sockets with the options a peer asks for: TCP MD5 (RFC 2385) and GTSM (RFC 5082).</summary>
internal static class BgpSockets
{
    private const int Backlog = 16;
    private const int MaxTtl = 255;

    // linux/in.h and linux/in6.h
    private const int ProtocolIp = 0;
    private const int OptionIpMinTtl = 21;
    private const int ProtocolIPv6 = 41;
    private const int OptionIPv6MinHopCount = 73;

    // linux/tcp.h: keep the headers of the SYN of each connection, and read them.
    private const int ProtocolTcp = 6;
    private const int OptionUserTimeout = 18;
    private const int OptionSaveSyn = 27;
    private const int OptionSavedSyn = 28;
    private const int MaxSynHeaders = 256;

    /// <summary>A socket for one connection attempt.</summary>
    /// <exception cref="SocketException">The local address cannot be bound, or an option is not to be had.</exception>
    public static Socket CreateClient(BgpPeerOptions peer)
    {
        var socket = new Socket(peer.RemoteAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (peer.LocalAddress is { } local)
            {
                socket.Bind(new IPEndPoint(local, 0));
            }

            if (peer.Password is { } password)
            {
                TcpMd5.SetKey(socket, peer.RemoteAddress, password);
            }

            if (peer.TtlSecurity)
            {
                SendWithMaxTtl(socket);
                RequireMaxTtl(socket);
            }

            ApplyTimeout(socket, peer);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A listener that knows the keys of all peers of its family. If one of them asks for GTSM, our side of the handshake leaves with TTL 255, or the peer
    /// would drop it; if all do, the kernel answers nobody from farther away at all. With both kinds the SYN of a connection is looked at once it is there:
    /// to require the TTL of the accepted socket alone would leave out what came in before.
    /// </summary>
    /// <exception cref="SocketException">The endpoint cannot be bound.</exception>
    public static Socket CreateListener(IPEndPoint endpoint, IEnumerable<BgpPeerOptions> peers)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            int secured = 0;
            int others = 0;
            foreach (BgpPeerOptions peer in peers)
            {
                if (peer.RemoteAddress.AddressFamily != endpoint.AddressFamily)
                {
                    continue;
                }

                if (peer.Password is { } password)
                {
                    TcpMd5.SetKey(socket, peer.RemoteAddress, password);
                }

                secured += peer.TtlSecurity ? 1 : 0;
                others += peer.TtlSecurity ? 0 : 1;
            }

            if (secured > 0)
            {
                SendWithMaxTtl(socket);
            }

            if (secured > 0 && others == 0)
            {
                RequireMaxTtl(socket);
            }
            else if (secured > 0)
            {
                socket.SetRawSocketOption(ProtocolTcp, OptionSaveSyn, BitConverter.GetBytes(1));
            }

            socket.Bind(endpoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Has the kernel give the connection up where the router acknowledges nothing for too long.</summary>
    /// <exception cref="SocketException">The option is not to be had.</exception>
    public static void ApplyTimeout(Socket socket, BgpPeerOptions peer)
    {
        if (peer.UnacknowledgedTimeout is { } timeout)
        {
            socket.SetRawSocketOption(ProtocolTcp, OptionUserTimeout, BitConverter.GetBytes((uint)timeout.TotalMilliseconds));
        }
    }

    /// <summary>TTL 255 out, and nothing less in, on an accepted connection of a peer that asks for it.</summary>
    /// <exception cref="SocketException">The connection was made from farther away, or an option is not to be had.</exception>
    public static void ApplyTtl(Socket socket, BgpPeerOptions peer)
    {
        if (!peer.TtlSecurity)
        {
            return;
        }

        RequireMaxTtl(socket);
        SendWithMaxTtl(socket);
        if (SynTtl(socket) is { } ttl and < MaxTtl)
        {
            throw new SocketException((int)SocketError.AccessDenied, $"the connection came with TTL {ttl}, GTSM wants {MaxTtl}");
        }
    }

    /// <summary>The TTL of the SYN, or null where the listener did not keep it.</summary>
    private static int? SynTtl(Socket socket)
    {
        const int Ipv4TtlAt = 8;
        const int Ipv6HopLimitAt = 7;
        Span<byte> headers = stackalloc byte[MaxSynHeaders];
        int length = socket.GetRawSocketOption(ProtocolTcp, OptionSavedSyn, headers);
        return length <= Ipv4TtlAt ? null : (headers[0] >> 4) == 4 ? headers[Ipv4TtlAt] : headers[Ipv6HopLimitAt];
    }

    private static void SendWithMaxTtl(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetwork)
        {
            socket.Ttl = MaxTtl;
        }
        else
        {
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.HopLimit, MaxTtl);
        }
    }

    private static void RequireMaxTtl(Socket socket)
    {
        Span<byte> value = stackalloc byte[sizeof(int)];
        MemoryMarshal.Write(value, MaxTtl);
        if (socket.AddressFamily == AddressFamily.InterNetwork)
        {
            socket.SetRawSocketOption(ProtocolIp, OptionIpMinTtl, value);
        }
        else
        {
            socket.SetRawSocketOption(ProtocolIPv6, OptionIPv6MinHopCount, value);
        }
    }
}
