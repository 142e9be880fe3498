using System.Net;
using System.Net.Sockets;
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

            ApplyTtl(socket, peer);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A listener that knows the keys of all peers of its family.</summary>
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

            foreach (BgpPeerOptions peer in peers)
            {
                if (peer.Password is { } password && peer.RemoteAddress.AddressFamily == endpoint.AddressFamily)
                {
                    TcpMd5.SetKey(socket, peer.RemoteAddress, password);
                }
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

    /// <summary>TTL 255 out, and nothing less in, where the peer asks for it.</summary>
    public static void ApplyTtl(Socket socket, BgpPeerOptions peer)
    {
        if (!peer.TtlSecurity)
        {
            return;
        }

        Span<byte> value = stackalloc byte[sizeof(int)];
        System.Runtime.InteropServices.MemoryMarshal.Write(value, MaxTtl);
        if (socket.AddressFamily == AddressFamily.InterNetwork)
        {
            socket.Ttl = MaxTtl;
            socket.SetRawSocketOption(ProtocolIp, OptionIpMinTtl, value);
        }
        else
        {
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.HopLimit, MaxTtl);
            socket.SetRawSocketOption(ProtocolIPv6, OptionIPv6MinHopCount, value);
        }
    }
}
