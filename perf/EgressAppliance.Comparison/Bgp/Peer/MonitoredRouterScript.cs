using System.Buffers;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp.Peer;

/// <summary>
/// A router as a BMP station sees it (RFC 7854), with no table behind it: it shows the tables of several peers, made before, in turns of one UPDATE each, as fast as the
/// station takes them.
/// </summary>
internal sealed class MonitoredRouterScript : IDisposable
{
    private const int Chunk = 1 << 20;
    private static readonly AfiSafi[] Families = [AfiSafi.IPv4Unicast, AfiSafi.IPv6Unicast];
    private readonly Socket _socket;
    private readonly ArrayBufferWriter<byte> _buffer = new(2 * Chunk);

    /// <summary>Connects, and says who it is.</summary>
    /// <param name="local">Address to connect from.</param>
    /// <param name="station">Where to.</param>
    public MonitoredRouterScript(IPAddress local, IPEndPoint station)
    {
        _socket = new(station.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _socket.Bind(new IPEndPoint(local, 0));
        _socket.Connect(station);
        Write(BmpMessageType.Initiation, [0, (byte)BmpTlv.SysName, 0, 5, .. "edge1"u8]);
    }

    /// <summary>Shows a table of each of some peers, to the End-of-RIBs.</summary>
    /// <param name="tables">Files of whole UPDATEs (<see cref="FeedFile.Path"/>), one a peer.</param>
    public void Show(IReadOnlyList<string> tables)
    {
        BmpPeerHeader[] peers = [.. tables.Select((_, i) => PeerOf(i))];
        foreach (BmpPeerHeader peer in peers)
        {
            Write(BmpMessageType.PeerUp, PeerUp(peer));
        }

        byte[][] octets = [.. tables.Select(File.ReadAllBytes)];
        int[] at = new int[tables.Count];
        for (bool more = true; more;)
        {
            more = false;
            for (int i = 0; i < tables.Count; i++)
            {
                if (at[i] < octets[i].Length)
                {
                    more = true;
                    int length = (octets[i][at[i] + 16] << 8) | octets[i][at[i] + 17];
                    WriteRoutes(peers[i], octets[i].AsSpan(at[i], length));
                    at[i] += length;
                }
            }
        }

        Span<byte> end = stackalloc byte[BgpConstants.MaxMessageLength];
        foreach (BmpPeerHeader peer in peers)
        {
            foreach (AfiSafi family in Families)
            {
                BgpWriter writer = new(end);
                UpdateEncoder.EndOfRib(ref writer, family);
                WriteRoutes(peer, writer.Written);
            }
        }

        Flush();
    }

    /// <summary>Drops the connection.</summary>
    public void Dispose() => _socket.Dispose();

    private static BmpPeerHeader PeerOf(int index) =>
        new(new(BmpPeerType.GlobalInstance, 0, IpAddr.FromIPv4(0xC000_0201 + (uint)index)), 0, FeedOptions.ExternalAs, 0x0A00_0001 + (uint)index, 1_700_000_000, 0);

    private static byte[] PeerUp(BmpPeerHeader peer)
    {
        BgpWriter writer = new(new byte[2 * BgpConstants.MaxMessageLength]);
        peer.Encode(ref writer);
        writer.WriteUInt64(0);
        writer.WriteUInt32(0);
        writer.WriteUInt32(0xC000_02FE);
        writer.WriteUInt16(179);
        writer.WriteUInt16(40_000);
        foreach (uint speaker in (uint[])[FeedOptions.ReceiverAs, peer.As])
        {
            new OpenMessage
            {
                MyAs = (ushort)speaker,
                HoldTime = 90,
                RouterId = 0x0A00_0001,
                Capabilities = [.. Families.Select(BgpCapability.Multiprotocol), BgpCapability.FourOctetAs(speaker)],
            }.Encode(ref writer);
        }

        return writer.Overflowed ? throw new ComparisonException("a Peer Up does not fit its room") : writer.Written.ToArray();
    }

    private void WriteRoutes(BmpPeerHeader peer, ReadOnlySpan<byte> update)
    {
        Span<byte> header = stackalloc byte[BmpConstants.PeerHeaderLength];
        BgpWriter writer = new(header);
        peer.Encode(ref writer);
        WriteHeader(BmpMessageType.RouteMonitoring, header.Length + update.Length);
        _buffer.Write(header);
        _buffer.Write(update);
        if (_buffer.WrittenCount >= Chunk)
        {
            Flush();
        }
    }

    private void Write(BmpMessageType type, ReadOnlySpan<byte> body)
    {
        WriteHeader(type, body.Length);
        _buffer.Write(body);
        Flush();
    }

    private void WriteHeader(BmpMessageType type, int bodyLength)
    {
        Span<byte> header = stackalloc byte[BmpConstants.HeaderLength];
        BgpWriter writer = new(header);
        writer.WriteByte(BmpConstants.Version);
        writer.WriteUInt32((uint)(BmpConstants.HeaderLength + bodyLength));
        writer.WriteByte((byte)type);
        _buffer.Write(header);
    }

    private void Flush()
    {
        for (ReadOnlySpan<byte> left = _buffer.WrittenSpan; !left.IsEmpty;)
        {
            left = left[_socket.Send(left)..];
        }

        _buffer.ResetWrittenCount();
    }
}
